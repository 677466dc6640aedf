/**
 * The ids that Azure knows resources by. Pulumi learns an id from Azure's answer, so a resource whose answer was lost
 * has none in its state, and its id is made of its inputs as the provider makes it. Pure.
 * @module
 */
import { usualType } from "../vault-api.ts";
import type { Properties, StateResource } from "./state.ts";

/** Paths by Pulumi's type, an input's name in braces. One with `{scope}` begins with another resource's id. */
const PATHS: Readonly<Record<string, string>> = {
  "azure-native:resources:ResourceGroup": "/resourceGroups/{resourceGroupName}",
  ...inGroup("Microsoft.ManagedIdentity", {
    "managedidentity:UserAssignedIdentity": "userAssignedIdentities/{resourceName}",
  }),
  ...inGroup("Microsoft.Network", {
    "network:VirtualNetwork": "virtualNetworks/{virtualNetworkName}",
    "network:Subnet": "virtualNetworks/{virtualNetworkName}/subnets/{subnetName}",
    "network:NetworkSecurityGroup": "networkSecurityGroups/{networkSecurityGroupName}",
    "network:PublicIPAddress": "publicIPAddresses/{publicIpAddressName}",
    "network:NetworkInterface": "networkInterfaces/{networkInterfaceName}",
    "network:LoadBalancer": "loadBalancers/{loadBalancerName}",
  }),
  ...inGroup("Microsoft.KeyVault", {
    "keyvault:Vault": "vaults/{vaultName}",
    "keyvault:Key": "vaults/{vaultName}/keys/{keyName}",
  }),
  ...inGroup("Microsoft.Storage", {
    "storage:StorageAccount": "storageAccounts/{accountName}",
    "storage:Table": "storageAccounts/{accountName}/tableServices/default/tables/{tableName}",
    "storage:BlobContainer": "storageAccounts/{accountName}/blobServices/default/containers/{containerName}",
    "storage:Blob": "storageAccounts/{accountName}/blobServices/default/containers/{containerName}/blobs/{blobName}",
  }),
  ...inGroup("Microsoft.Compute", {
    "compute:VirtualMachine": "virtualMachines/{vmName}",
    "compute:VirtualMachineRunCommandByVirtualMachine": "virtualMachines/{vmName}/runCommands/{runCommandName}",
  }),
  ...inGroup("Microsoft.OperationalInsights", { "operationalinsights:Workspace": "workspaces/{workspaceName}" }),
  ...inGroup("Microsoft.Insights", {
    "applicationinsights:Workbook": "workbooks/{resourceName}",
    "monitor:ActionGroup": "actionGroups/{actionGroupName}",
    "monitor:MetricAlert": "metricAlerts/{ruleName}",
    "monitor:ScheduledQueryRule": "scheduledQueryRules/{ruleName}",
  }),
  "azure-native:monitor:DiagnosticSetting": "{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
  "azure-native:authorization:RoleAssignment":
    "{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
  "azure-native:authorization:ManagementLockByScope": "{scope}/providers/Microsoft.Authorization/locks/{lockName}",
};

function inGroup(namespace: string, paths: Readonly<Record<string, string>>): Record<string, string> {
  const home = `/resourceGroups/{resourceGroupName}/providers/${namespace}`;
  return Object.fromEntries(Object.entries(paths).map(([type, path]) => [`azure-native:${type}`, `${home}/${path}`]));
}

/**
 * Returns the id that Azure gives, or gave, to a resource.
 * @param subscription as in `/subscriptions/GUID`
 * @throws Error for a type that is not known here, and where an input that names the resource is not known yet
 */
export function azureId({ type, inputs = {} }: StateResource, subscription: string): string {
  const path = PATHS[usualType(type)];
  if (path === undefined) throw new Error(`no id is known here for ${type}`);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => nameIn(inputs, name, type));
  return path.startsWith("/") ? subscription + filled : filled;
}

function nameIn(inputs: Properties, name: string, type: string): string {
  const value = inputs[name];
  if (typeof value !== "string" || value === "") throw new Error(`${name} of ${type} is not known`);
  return value;
}

/** Returns the subscription, as in `/subscriptions/GUID`, that an id is in. */
export function subscriptionIn(id: string): string | undefined {
  return /^\/subscriptions\/[^/]+/i.exec(id)?.[0];
}
