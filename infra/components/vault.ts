import { ManagementLockByScope } from "@pulumi/azure-native/authorization/index.js";
import * as pulumi from "@pulumi/pulumi";
import { STORE_TAG } from "../../signer/contract.ts";
import type { GeneratedKey, KeyImporter } from "../config/readers.ts";
import { VAULT_API, type VaultApi } from "../vault-api.ts";
import { inGroup, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";
import { type AnyVault, keyOf, rememberedNames, staysOnce, vaultOf } from "./vault-resources.ts";

export interface KeyVaultArgs {
  readonly context: StackContext;
  readonly tenantId: pulumi.Input<string>;
  /** Object id of the machine's identity: the one that signs. */
  readonly signerId: pulumi.Input<string>;
  /** The subnet that may reach the vault; its Microsoft.KeyVault endpoint must exist first. */
  readonly subnetId: pulumi.Input<string>;
  /** Who joins the subnet before the vault: network.ts. */
  readonly joinsAfter: pulumi.Resource;
  /** The addresses by which the machines go out. */
  readonly machineIps: readonly pulumi.Input<string>[];
  /** Who imports keys, while there are keys to import. */
  readonly keyImporter: KeyImporter | undefined;
  /** Keys that the vault's HSM makes. */
  readonly keys: readonly GeneratedKey[];
  /** By which version it is asked for; absent: the one of vault-api.ts. */
  readonly api?: VaultApi;
}

/** A premium vault that answers the signer's subnet and nobody else, and its keys. */
export class KeyVault extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  readonly uri: pulumi.Output<string>;
  /** Joins the subnet. */
  readonly vault: AnyVault;
  /** Those that the HSM makes. */
  readonly keys: readonly pulumi.CustomResource[];

  constructor(name: string, args: KeyVaultArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:KeyVault", name, {}, options);
    const { context, keyImporter, tenantId, api = VAULT_API } = args;
    const resourceGroupName = context.group.name;

    const remembered = rememberedNames();
    const vault = vaultOf(
      api,
      context.named("vault"),
      {
        resourceGroupName,
        vaultName: pulumi.interpolate`tezos-${context.id}`,
        location: context.location,
        properties: {
          tenantId,
          sku: { family: "A", name: "premium" }, // HSM keys need premium
          enableRbacAuthorization: false, // stated: its default turns in API 2026-02-01
          accessPolicies: accessPolicies(args),
          networkAcls: {
            bypass: "None", // a VM is no trusted service, so nothing else needs the bypass
            defaultAction: "Deny",
            virtualNetworkRules: [{ id: args.subnetId }],
            ipRules: [...args.machineIps, ...(keyImporter === undefined ? [] : [keyImporter.ip])].map((ip) => ({
              value: pulumi.interpolate`${ip}/32`,
            })),
          },
          publicNetworkAccess: "Enabled", // the firewall above is in force only then
          enableSoftDelete: true,
          softDeleteRetentionInDays: context.production ? 90 : 7,
          ...(context.production ? { enablePurgeProtection: true } : {}), // `false` is refused: it is set or absent
          enabledForDeployment: false,
          enabledForDiskEncryption: false,
          enabledForTemplateDeployment: false,
        },
        tags: context.tags,
      },
      {
        ...inGroup(this, context),
        hooks: staysOnce(context.named("vault"), remembered),
        dependsOn: [args.joinsAfter],
        // Fixed at creation; a stack that turns to production later keeps its 7 days.
        ignoreChanges: ["properties.softDeleteRetentionInDays"],
      },
    );
    this.keys = args.keys.map((key) =>
      keyOf(
        api,
        context.named(key.name),
        {
          resourceGroupName,
          vaultName: vault.name,
          keyName: key.name,
          properties: {
            kty: "EC-HSM",
            curveName: key.curve,
            keyOps: ["sign", "verify"],
            attributes: { enabled: true, exportable: false },
          },
          tags: { [STORE_TAG]: context.id },
        },
        {
          ...inGroup(this, context),
          hooks: staysOnce(context.named(key.name), remembered),
          // Deleting a key is a request to the vault itself, which the firewall refuses: it goes with its group or stays.
          retainOnDelete: true,
          // Azure leaves an existing key as it is and says nothing: better a create that fails on the taken name.
          replaceOnChanges: ["properties.curveName"],
        },
      ),
    );
    if (context.production) {
      // Deleting the group would delete its content, whatever Pulumi protects: Azure itself refuses.
      new ManagementLockByScope(
        context.named("vault-lock"),
        { scope: vault.id, lockName: "keeps-the-keys", level: "CanNotDelete", notes: "Holds the baker's keys" },
        { parent: this },
      );
    }
    this.vault = vault;
    this.id = vault.id;
    // From the name, not from properties.vaultUri: a preview of a changed vault knows its name only, and dependants would show false changes.
    this.uri = pulumi.interpolate`https://${vault.name}.vault.azure.net`;
    this.registerOutputs({ uri: this.uri });
  }
}

/** The machine lists, reads and signs. The key importer brings keys in, and never signs. Nobody deletes, backs up or purges. */
function accessPolicies({ tenantId, signerId, keyImporter }: KeyVaultArgs) {
  const policies = [{ tenantId, objectId: signerId, permissions: { keys: ["get", "list", "sign"] } }];
  if (keyImporter !== undefined) {
    const keys = ["get", "list", "create", "import", "update"];
    policies.push({ tenantId, objectId: keyImporter.objectId, permissions: { keys } });
  }
  return policies;
}

/** What the plan shows of the vault. The tags of a key say which watermark store it is bound to. */
export const VAULT_KINDS: Kinds = {
  "azure-native:keyvault:Vault": {
    word: "key vault",
    name: "vaultName",
    shown: ["properties.sku.name", "properties.softDeleteRetentionInDays| days of soft delete"],
  },
  "azure-native:keyvault:Key": {
    word: "key in the HSM",
    name: "keyName",
    shown: ["properties.kty", "properties.curveName"],
    untagged: true,
  },
  "azure-native:authorization:ManagementLockByScope": {
    word: "lock",
    name: "lockName",
    shown: ["level"],
    untagged: true,
  },
};
