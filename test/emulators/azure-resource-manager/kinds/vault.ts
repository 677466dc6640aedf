import { ArmError, badRequest, block, conflict, isPrivate } from "../arm.ts";
import { at, list, type Properties, text, texts } from "../properties.ts";
import type { Kind, Resource, Subscription } from "../subscription.ts";
import { must } from "./addresses.ts";
import { inGroup } from "./in-group.ts";

const VAULT_TYPE = "azure-native:keyvault:Vault";

/** Key vault and its keys. */
export const VAULT: Readonly<Record<string, Kind>> = {
  [VAULT_TYPE]: {
    ...inGroup("Microsoft.KeyVault/vaults", ["vaultName"], /^[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]$/),
    put: vault,
  },
  "azure-native:keyvault:Key": {
    ...inGroup("Microsoft.KeyVault/vaults/keys", ["vaultName", "keyName"], /^[A-Za-z0-9-]{1,127}$/),
    global: true,
    put: key,
    delete: deleteKey,
  },
};

function vault(inputs: Properties, cloud: Subscription, before: Resource | undefined): Properties {
  const name = text(inputs, "vaultName");
  if (before === undefined && cloud.softDeleted.has(name)) {
    throw conflict(
      "ConflictError",
      `A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.`,
    );
  }
  if (before === undefined && cloud.taken.has(name)) {
    throw conflict(
      "VaultAlreadyExists",
      `The vault name '${name}' is already in use. Vault names are globally unique so it is possible that the name is already taken.`,
    );
  }
  const properties = at(inputs, "properties") as Properties;
  if (properties.enablePurgeProtection === false) {
    throw badRequest("BadRequest", 'The property "enablePurgeProtection" cannot be set to false.');
  }
  const days = Number(properties.softDeleteRetentionInDays ?? 90);
  if (days < 7 || days > 90) throw badRequest("BadRequest", "softDeleteRetentionInDays must be between 7 and 90.");
  if (before !== undefined && days !== Number(at(before.inputs, "properties.softDeleteRetentionInDays") ?? 90)) {
    throw badRequest(
      "BadRequest",
      'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.',
    );
  }
  firewall(at(properties, "networkAcls") as Properties, cloud);
  for (const policy of list(properties, "accessPolicies")) {
    if (!/^[0-9a-f-]{36}$/i.test(text(policy, "objectId")))
      throw badRequest("BadRequest", "An invalid value was provided for 'accessPolicies'.");
  }
  const purgeProtection = at(before?.outputs, "properties.enablePurgeProtection") ?? properties.enablePurgeProtection;
  return {
    properties: {
      ...properties,
      ...(purgeProtection === undefined ? {} : { enablePurgeProtection: true }), // once set it stays
      vaultUri: `https://${name}.vault.azure.net/`,
      provisioningState: "Succeeded",
    },
  };
}

/** networkAcls: subnets with the endpoint only, public IPv4 only (network-security). */
function firewall(acls: Properties | undefined, cloud: Subscription): void {
  for (const rule of list(acls, "virtualNetworkRules")) {
    const subnet = must(cloud, text(rule, "id"));
    if (!list(subnet.inputs, "serviceEndpoints").some((endpoint) => endpoint.service === "Microsoft.KeyVault")) {
      throw badRequest("VirtualNetworkNotValid", `Subnet ${subnet.id} has no service endpoint for Microsoft.KeyVault.`);
    }
  }
  for (const rule of list(acls, "ipRules")) {
    const value = text(rule, "value");
    if (block(value) === undefined || isPrivate(value)) {
      throw badRequest("BadRequest", `The IP rule '${value}' is not a valid public IPv4 address or CIDR range.`);
    }
  }
}

function key(inputs: Properties, cloud: Subscription): Properties {
  const home = vaultOf(inputs, cloud);
  if (text(inputs, "properties.kty").endsWith("-HSM") && text(home.inputs, "properties.sku.name") !== "premium") {
    throw badRequest("BadParameter", "The property kty has an invalid value: HSM keys need a premium vault.");
  }
  if (!["P-256", "P-256K", "P-384", "P-521"].includes(text(inputs, "properties.curveName"))) {
    throw badRequest("BadParameter", "The property crv has an invalid value.");
  }
  const uri = `https://${text(inputs, "vaultName")}.vault.azure.net/keys/${text(inputs, "keyName")}`;
  return { keyUri: uri, keyUriWithVersion: `${uri}/${cloud.guid(uri).replaceAll("-", "")}` };
}

/** A request to the vault itself: its firewall and its policies judge the deployer. */
function deleteKey({ inputs }: Resource, cloud: Subscription): void {
  const home = vaultOf(inputs, cloud);
  const allowed = list(home.inputs, "properties.networkAcls.ipRules").some(
    (rule) => text(rule, "value") === `${cloud.deployer.address}/32`,
  );
  if (!allowed) {
    throw new ArmError(
      403,
      "Forbidden",
      `Client address is not authorized and caller is not a trusted service. Client address: ${cloud.deployer.address}`,
    );
  }
  const policy = list(home.inputs, "properties.accessPolicies").find(
    (entry) => text(entry, "objectId") === cloud.deployer.objectId,
  );
  if (!texts(policy, "permissions.keys").includes("delete")) {
    throw new ArmError(403, "Forbidden", `The user '${cloud.deployer.objectId}' does not have keys delete permission.`);
  }
}

function vaultOf(inputs: Properties, cloud: Subscription): Resource {
  const group = `${cloud.subscription}/resourceGroups/${text(inputs, "resourceGroupName")}`;
  return must(cloud, `${group}/providers/Microsoft.KeyVault/vaults/${text(inputs, "vaultName")}`);
}
