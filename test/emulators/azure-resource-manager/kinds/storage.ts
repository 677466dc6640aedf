import { ArmError, badRequest, block, conflict, isPrivate } from "../arm.ts";
import { list, type Properties, text } from "../properties.ts";
import type { Kind, Resource, Subscription } from "../subscription.ts";
import { must } from "./addresses.ts";
import { inGroup } from "./in-group.ts";

const CONTAINER = "azure-native:storage:BlobContainer";

/** Storage account, table, container, blob. */
export const STORAGE: Readonly<Record<string, Kind>> = {
  "azure-native:storage:StorageAccount": {
    ...inGroup("Microsoft.Storage/storageAccounts", ["accountName"], /^[a-z0-9]{3,24}$/),
    replaces: ["resourceGroupName", "accountName", "location", "isHnsEnabled"],
    put: account,
  },
  "azure-native:storage:Table": {
    replaces: ["resourceGroupName", "accountName", "tableName"],
    id: (inputs, cloud) => {
      const name = text(inputs, "tableName");
      if (!/^[A-Za-z][A-Za-z0-9]{2,62}$/.test(name))
        throw badRequest("InvalidResourceName", `The table name ${name} is invalid.`);
      return `${accountId(inputs, cloud)}/tableServices/default/tables/${name}`;
    },
    put: (inputs, cloud) => {
      must(cloud, accountId(inputs, cloud));
      return {};
    },
  },
  [CONTAINER]: {
    replaces: ["resourceGroupName", "accountName", "containerName"],
    id: (inputs, cloud) => {
      const name = text(inputs, "containerName");
      if (!/^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name))
        throw badRequest("InvalidResourceName", `The container name ${name} is invalid.`);
      return containerId(inputs, cloud);
    },
    put: (inputs, cloud) => {
      const home = must(cloud, accountId(inputs, cloud));
      if (text(inputs, "publicAccess") !== "None" && home.inputs.allowBlobPublicAccess !== true) {
        throw conflict("PublicAccessNotPermitted", "Public access is not permitted on this storage account.");
      }
      return {};
    },
  },
  // The provider's own (custom_storage_azidentity.go): a client of the service, with the account's key. What is there is
  // not created again, and another source is another blob under the same name: the old one goes first.
  "azure-native:storage:Blob": {
    replaces: ["resourceGroupName", "accountName", "containerName", "blobName", "type", "contentMd5", "source"],
    id: (inputs, cloud) => `${containerId(inputs, cloud)}/blobs/${text(inputs, "blobName")}`,
    reach: sharedKey,
    put: (inputs, cloud) => {
      if (cloud.get(containerId(inputs, cloud)) === undefined) {
        throw new ArmError(404, "ContainerNotFound", "The specified container does not exist.");
      }
      const url = `https://${text(inputs, "accountName")}.blob.core.windows.net/${text(inputs, "containerName")}/${text(inputs, "blobName")}`;
      return { source: undefined, name: inputs.blobName, metadata: {}, url }; // the bytes are never given back
    },
  },
};

/** The account gives its key to the deployer, takes it, and lets him through. */
function sharedKey(inputs: Properties, cloud: Subscription): void {
  const home = cloud.get(accountId(inputs, cloud));
  if (home === undefined) {
    throw new ArmError(404, "ResourceNotFound", `The Resource '${accountId(inputs, cloud)}' was not found.`);
  }
  if (home.inputs.allowSharedKeyAccess === false) {
    const message = "Key based authentication is not permitted on this storage account.";
    throw new ArmError(403, "KeyBasedAuthenticationNotPermitted", message);
  }
  const allowed = list(home.inputs, "networkRuleSet.ipRules").map((rule) => text(rule, "iPAddressOrRange"));
  const open = text(home.inputs, "networkRuleSet.defaultAction") !== "Deny" || allowed.includes(cloud.deployer.address);
  if (!open)
    throw new ArmError(403, "AuthorizationFailure", "This request is not authorized to perform this operation.");
}

function account(inputs: Properties, cloud: Subscription, before: Resource | undefined): Properties {
  const name = text(inputs, "accountName");
  if (before === undefined && cloud.taken.has(name)) {
    throw conflict("StorageAccountAlreadyTaken", `The storage account named ${name} is already taken.`);
  }
  for (const rule of list(inputs, "networkRuleSet.virtualNetworkRules")) {
    const subnet = must(cloud, text(rule, "virtualNetworkResourceId"));
    if (!list(subnet.inputs, "serviceEndpoints").some((endpoint) => endpoint.service === "Microsoft.Storage")) {
      throw badRequest(
        "NetworkAclsValidationFailure",
        `Subnets ${subnet.id} do not have ServiceEndpoints for Microsoft.Storage resources configured.`,
      );
    }
  }
  for (const rule of list(inputs, "networkRuleSet.ipRules")) {
    const value = text(rule, "iPAddressOrRange");
    if (block(value) === undefined || isPrivate(value) || /\/3[12]$/.test(value)) {
      throw badRequest(
        "InvalidValuesForRequestParameters",
        `Values for request parameters are invalid: networkAcls.ipRule[*].value(${value}).`,
      );
    }
  }
  return {
    primaryEndpoints: {
      table: `https://${name}.table.core.windows.net/`,
      blob: `https://${name}.blob.core.windows.net/`,
    },
    provisioningState: "Succeeded",
  };
}

function accountId(inputs: Properties, cloud: Subscription): string {
  const group = `${cloud.subscription}/resourceGroups/${text(inputs, "resourceGroupName")}`;
  return `${group}/providers/Microsoft.Storage/storageAccounts/${text(inputs, "accountName")}`;
}

function containerId(inputs: Properties, cloud: Subscription): string {
  return `${accountId(inputs, cloud)}/blobServices/default/containers/${text(inputs, "containerName")}`;
}
