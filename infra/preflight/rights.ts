/**
 * What whoever runs `up` may do: every action that the plan needs, held to the rights that Azure says the caller has.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { all } from "../arm/client.ts";
import { type Check, type Facts, has, notOk, ok, type Row } from "./row.ts";

/** Permissions - List For Resource Group, List For Subscription (Microsoft.Authorization, 2022-04-01). */
const VERSION = "2022-04-01";

const Permission = z.object({ actions: z.array(z.string()), notActions: z.array(z.string()).default([]) });

export type Permission = z.output<typeof Permission>;

/**
 * Actions by Pulumi's type (azure resource provider operations). Joining and assigning are actions of what is joined, asked
 * of whoever makes the one that joins; a service endpoint's too.
 */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  "resources:ResourceGroup": made("Microsoft.Resources/subscriptions/resourceGroups"),
  "managedidentity:UserAssignedIdentity": made("Microsoft.ManagedIdentity/userAssignedIdentities"),
  "network:VirtualNetwork": made("Microsoft.Network/virtualNetworks"),
  "network:Subnet": made("Microsoft.Network/virtualNetworks/subnets"),
  "network:NetworkSecurityGroup": [
    ...made("Microsoft.Network/networkSecurityGroups"),
    "Microsoft.Network/networkSecurityGroups/join/action",
  ],
  "network:PublicIPAddress": [
    ...made("Microsoft.Network/publicIPAddresses"),
    "Microsoft.Network/publicIPAddresses/join/action",
  ],
  "network:NetworkInterface": [
    ...made("Microsoft.Network/networkInterfaces"),
    "Microsoft.Network/networkInterfaces/join/action",
    "Microsoft.Network/virtualNetworks/subnets/join/action",
  ],
  // Its pool names addresses of the network, which it joins (azure resource provider operations).
  "network:LoadBalancer": [
    ...made("Microsoft.Network/loadBalancers"),
    "Microsoft.Network/virtualNetworks/joinLoadBalancer/action",
  ],
  "keyvault:Vault": [
    ...made("Microsoft.KeyVault/vaults"),
    "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
  ],
  "storage:StorageAccount": made("Microsoft.Storage/storageAccounts"),
  "storage:Table": made("Microsoft.Storage/storageAccounts/tableServices/tables"),
  "storage:BlobContainer": made("Microsoft.Storage/storageAccounts/blobServices/containers"),
  // The provider uploads with the account's key.
  "storage:Blob": ["Microsoft.Storage/storageAccounts/listKeys/action"],
  "compute:VirtualMachine": [
    ...made("Microsoft.Compute/virtualMachines"),
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
  ],
  "compute:VirtualMachineRunCommandByVirtualMachine": made("Microsoft.Compute/virtualMachines/runCommands"),
  "operationalinsights:Workspace": made("Microsoft.OperationalInsights/workspaces"),
  "applicationinsights:Workbook": made("Microsoft.Insights/workbooks"),
  "monitor:ActionGroup": made("Microsoft.Insights/actionGroups"),
  "monitor:MetricAlert": made("Microsoft.Insights/metricAlerts"),
  "monitor:ScheduledQueryRule": made("Microsoft.Insights/scheduledQueryRules"),
  "monitor:DiagnosticSetting": made("Microsoft.Insights/diagnosticSettings"),
};

/** What Contributor has not: its notActions take `Microsoft.Authorization/*` of the writing kind away. */
const GRANTING: Readonly<Record<string, readonly string[]>> = {
  "authorization:RoleAssignment": made("Microsoft.Authorization/roleAssignments"),
  "authorization:ManagementLockByScope": made("Microsoft.Authorization/locks"),
};

/** A key that the vault's HSM makes is made through the resource manager, by a right of its own. */
const KEYS: Readonly<Record<string, readonly string[]>> = { "keyvault:Key": made("Microsoft.KeyVault/vaults/keys") };

function made(type: string): string[] {
  return [`${type}/read`, `${type}/write`];
}

/** Returns the actions that nobody gives. */
export function lacking(needed: readonly string[], permissions: readonly Permission[]): string[] {
  const names = (patterns: readonly string[], action: string) => patterns.some((pattern) => matches(pattern, action));
  return needed.filter(
    (action) => !permissions.some(({ actions, notActions }) => names(actions, action) && !names(notActions, action)),
  );
}

/** `*` stands for any text, over slashes too; case is nothing (role-definitions). */
function matches(pattern: string, action: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "i").test(action);
}

function row(name: string, table: typeof NEEDED, role: string, permissions: readonly Permission[], facts: Facts): Row {
  const types = Object.keys(table).filter((type) => has(facts, type));
  const needed = [...new Set(types.flatMap((type) => table[type] ?? []))];
  if (needed.length === 0) return ok(name, "the plan needs none");
  const missing = lacking(needed, permissions);
  if (missing.length === 0) return ok(name, `all ${needed.length} actions that the plan needs`);
  const [first, second, ...more] = missing;
  const some = [first, ...(second === undefined ? [] : [second])].join(", ");
  const says = `${missing.length} of ${needed.length} actions are not allowed (${some}${more.length > 0 ? ", …" : ""}); somebody who may give roles gives this one, which takes some minutes to work`;
  const who = facts.objectId ?? '"$(az ad signed-in-user show --query id --output tsv)"';
  return notOk(
    name,
    says,
    `az role assignment create --assignee ${who} --role "${role}" --scope ${facts.subscription}`,
  );
}

/** Makes the three rows of rights. */
export function rights(permissions: readonly Permission[], facts: Facts): Row[] {
  return [
    row("rights to make", NEEDED, "Contributor", permissions, facts),
    row("rights to make keys", KEYS, "Key Vault Contributor", permissions, facts),
    row("rights to give roles", GRANTING, "User Access Administrator", permissions, facts),
  ];
}

export const RIGHTS: Check = {
  rows: ["rights to make", "rights to make keys", "rights to give roles"],
  async examine(facts: Facts) {
    const { subscription, group, standing, asker } = facts;
    const scope = standing === undefined ? subscription : `${subscription}/resourceGroups/${group}`;
    const path = `${scope}/providers/Microsoft.Authorization/permissions?api-version=${VERSION}`;
    return rights(read(z.array(Permission), await all(path, asker), "the list of permissions"), facts);
  },
};
