import { badRequest, block, conflict, isPrivate } from "../arm.ts";
import type { Cloud, Kind, Resource } from "../cloud.ts";
import { list, type Properties, text } from "../properties.ts";
import { inGroup } from "./in-group.ts";
import { must } from "./network.ts";

/** Storage account and table. */
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
};

function account(inputs: Properties, cloud: Cloud, before: Resource | undefined): Properties {
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
  return { primaryEndpoints: { table: `https://${name}.table.core.windows.net/` }, provisioningState: "Succeeded" };
}

function accountId(inputs: Properties, cloud: Cloud): string {
  const group = `${cloud.subscription}/resourceGroups/${text(inputs, "resourceGroupName")}`;
  return `${group}/providers/Microsoft.Storage/storageAccounts/${text(inputs, "accountName")}`;
}
