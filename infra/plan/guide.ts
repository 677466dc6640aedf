/**
 * What the stack does for each command that the old guide had its reader type (docs/guide.md shows the same table).
 * @module
 */

/** A part of a command, and the property that holds what it did. */
export interface Replacement {
  /** The command as the guide has it, up to the part that matters. */
  readonly command: string;
  /** The resource's name in the program. */
  readonly resource: string;
  /** Path to the property among the resource's inputs. */
  readonly property: string;
  /** Its value in the plan of the stack file that comes with the project, as JSON. */
  readonly value: string;
}

function row(command: string, resource: string, property: string, value: unknown): Replacement {
  return { command, resource, property, value: JSON.stringify(value) };
}

const VM = "az vm create";
const VAULT = "az keyvault create";
const IMPORT = "az keyvault key import";
const RULE = "az network nsg rule create";

/** In the guide's order. */
export const REPLACEMENTS: readonly Replacement[] = [
  row("az group create --name", "group", "resourceGroupName", "tezos-signer-example"),
  row("az group create --location", "group", "location", "northeurope"),
  row(`${VM} --name`, "machine", "vmName", "signer"),
  row(`${VM} --image`, "machine", "storageProfile.imageReference.offer", "ubuntu-24_04-lts"),
  row(`${VM} --size`, "machine", "hardwareProfile.vmSize", "Standard_B1s"),
  row(`${VM} --storage-sku`, "machine", "storageProfile.osDisk.managedDisk.storageAccountType", "StandardSSD_LRS"),
  row(`${VM} --admin-username`, "machine", "osProfile.adminUsername", "deploy"),
  row(`${VM} --authentication-type ssh`, "machine", "osProfile.linuxConfiguration.disablePasswordAuthentication", true),
  row(
    `${VM} --ssh-key-values`,
    "machine",
    "osProfile.linuxConfiguration.ssh.publicKeys.0.path",
    "/home/deploy/.ssh/authorized_keys",
  ),
  row(`${VM} --assign-identity`, "machine", "identity.type", "UserAssigned"),
  row("az vm list-ip-addresses", "address", "publicIPAllocationMethod", "Static"),
  row(`${VAULT} --name`, "vault", "vaultName", "tezos-<random>"),
  row(`${VAULT} --location`, "vault", "location", "northeurope"),
  row(`${VAULT} --sku premium`, "vault", "properties.sku.name", "premium"),
  row(
    "az network vnet subnet update --service-endpoints",
    "subnet",
    "serviceEndpoints.0.service",
    "Microsoft.KeyVault",
  ),
  row(
    "az keyvault network-rule add --subnet",
    "vault",
    "properties.networkAcls.virtualNetworkRules.0.id",
    "/subscriptions/<subscription>/network/Subnet/subnet",
  ),
  row("az keyvault network-rule add --ip-address", "vault", "properties.networkAcls.ipRules.0.value", "<address>/32"),
  row("az keyvault update --default-action Deny", "vault", "properties.networkAcls.defaultAction", "Deny"),
  row("az keyvault set-policy --object-id", "vault", "properties.accessPolicies.0.objectId", "<machine>"),
  row("az keyvault set-policy --key-permissions", "vault", "properties.accessPolicies.0.permissions.keys", [
    "get",
    "list",
    "sign",
  ]),
  row(`${IMPORT} --name`, "baker", "keyName", "baker"),
  row(`${IMPORT} --ops sign`, "baker", "properties.keyOps", ["sign", "verify"]),
  row(`${IMPORT} --protection hsm`, "baker", "properties.kty", "EC-HSM"),
  row("az network nsg list (DenyAllInBound)", "firewall", "securityRules.1.access", "Deny"),
  row(`${RULE} --access Allow`, "firewall", "securityRules.0.access", "Allow"),
  row(`${RULE} --priority`, "firewall", "securityRules.0.priority", 100),
  row(`${RULE} --destination-port-ranges 6732`, "firewall", "securityRules.0.destinationPortRange", "6732"),
  row(`${RULE} --source-address-prefixes`, "firewall", "securityRules.0.sourceAddressPrefixes", ["203.0.113.7"]),
];

/** Returns the guide's commands that a resource replaces, without their options; each once. */
export function commandsReplacedBy(resource: string): string[] {
  const commands = REPLACEMENTS.filter((row) => row.resource === resource).map(
    (row) => row.command.split(/ --| \(/)[0] ?? "",
  );
  return [...new Set(commands)];
}
