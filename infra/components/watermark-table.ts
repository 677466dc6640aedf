import { ManagementLockByScope, RoleAssignment } from "@pulumi/azure-native/authorization/index.js";
import { StorageAccount, Table } from "@pulumi/azure-native/storage/index.js";
import * as pulumi from "@pulumi/pulumi";
import { inGroup, roleDefinitionId, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";

export interface WatermarkTableArgs {
  readonly context: StackContext;
  /** Object id of the machine's identity: the one that reads and writes. */
  readonly signerId: pulumi.Input<string>;
  /** The subnet that may reach the table; its Microsoft.Storage endpoint must exist first. */
  readonly subnetId: pulumi.Input<string>;
  /** Who joins the subnet before the account: network.ts. */
  readonly joinsAfter: pulumi.Resource;
  /** Copies in one building, or in three zones. Never in a second region: it would lag, and an old watermark double-signs. */
  readonly redundancy: "LRS" | "ZRS";
}

/** Storage Table Data Contributor, the built-in role for reading and writing entities. */
const TABLE_DATA_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3";

/** The table that remembers what was signed. It outlives the machine. */
export class WatermarkTable extends pulumi.ComponentResource {
  readonly endpoint: pulumi.Output<string>;
  readonly table: pulumi.Output<string>;
  /** By it the machine reads and writes. */
  readonly role: RoleAssignment;

  constructor(name: string, args: WatermarkTableArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:WatermarkTable", name, {}, options);
    const { context } = args;
    const resourceGroupName = context.group.name;
    const child = inGroup(this, context);

    const account = new StorageAccount(
      context.named("account"),
      {
        resourceGroupName,
        accountName: pulumi.interpolate`tezos${context.id}`,
        location: context.location,
        kind: "StorageV2",
        sku: { name: `Standard_${args.redundancy}` },
        allowSharedKeyAccess: false, // the machine's identity is the only way in
        allowBlobPublicAccess: false,
        allowCrossTenantReplication: false,
        defaultToOAuthAuthentication: true,
        enableHttpsTrafficOnly: true,
        minimumTlsVersion: "TLS1_2",
        publicNetworkAccess: "Enabled", // the rules below are in force only then
        networkRuleSet: {
          bypass: "None",
          defaultAction: "Deny",
          virtualNetworkRules: [{ virtualNetworkResourceId: args.subnetId, action: "Allow" }],
          ipRules: [],
        },
        tags: context.tags,
      },
      { ...child, dependsOn: [args.joinsAfter] },
    );
    const table = new Table(
      context.named("watermarks"),
      { resourceGroupName, accountName: account.name, tableName: "watermarks" },
      child,
    );
    this.role = new RoleAssignment(
      context.named("table-role"),
      {
        scope: account.id,
        principalId: args.signerId,
        principalType: "ServicePrincipal", // the default, User, is looked up and not found for a fresh identity
        roleDefinitionId: roleDefinitionId(account, TABLE_DATA_CONTRIBUTOR),
      },
      // The lock below keeps the role of an identity that is gone, where another one is made in its place.
      { ...child, retainOnDelete: context.production },
    );
    if (context.production) {
      new ManagementLockByScope(
        context.named("account-lock"),
        { scope: account.id, lockName: "keeps-the-watermarks", level: "CanNotDelete", notes: "Holds what was signed" },
        { parent: this },
      );
    }
    this.table = table.name;
    // From the name: see vault.ts.
    this.endpoint = pulumi.interpolate`https://${account.name}.table.core.windows.net`;
    this.registerOutputs({ endpoint: this.endpoint, table: this.table });
  }
}

/** What the plan shows of the table and its account. */
export const WATERMARK_TABLE_KINDS: Kinds = {
  "azure-native:storage:StorageAccount": { word: "storage account", name: "accountName", shown: ["sku.name"] },
  "azure-native:storage:Table": { word: "watermark table", name: "tableName", untagged: true },
  "azure-native:authorization:RoleAssignment": { word: "role of the machine", name: "principalType", untagged: true },
};
