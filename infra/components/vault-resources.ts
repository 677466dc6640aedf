/**
 * Vault and keys by either version of Key Vault's API (vault-api.ts), and what keeps those that stand from being made anew.
 * @module
 */
import { Key, type KeyArgs, Vault, type VaultArgs } from "@pulumi/azure-native/keyvault/index.js";
import azureNative from "@pulumi/azure-native/package.json" with { type: "json" };
import * as pulumi from "@pulumi/pulumi";
import { Refusal } from "../refusal.ts";
import { lastOutputs, standingResources } from "../standing/stack-state.ts";
import { VAULT_PACKAGE, type VaultApi, vaultTypes } from "../vault-api.ts";

/** A vault, whichever version it is asked for by. */
export interface AnyVault extends pulumi.CustomResource {
  readonly name: pulumi.Output<string>;
}

/** A resource of the package for one API version. */
class Packaged extends pulumi.CustomResource implements AnyVault {
  declare readonly name: pulumi.Output<string>;

  constructor(type: string, name: string, args: pulumi.Inputs, options: pulumi.CustomResourceOptions) {
    super(type, name, { ...args, name: undefined }, options, false, packageReference());
  }
}

/** The provider takes what it wrote into a package: base64 within base64. */
function packageReference(): Promise<string> {
  const parameter = Buffer.from(JSON.stringify(VAULT_PACKAGE.parameter)).toString("base64");
  return pulumi.runtime.registerPackage({
    baseProviderName: "azure-native",
    baseProviderVersion: azureNative.version,
    baseProviderDownloadUrl: "",
    packageName: VAULT_PACKAGE.name,
    packageVersion: azureNative.version,
    base64Parameter: Buffer.from(parameter).toString("base64"),
  });
}

/** Registers a vault. By an alias it is the one that stands, whichever version that was made by. */
export function vaultOf(api: VaultApi, name: string, args: VaultArgs, options: pulumi.CustomResourceOptions): AnyVault {
  const { type, other } = vaultTypes("Vault", api);
  const known = { ...options, aliases: [{ type: other }] };
  return api === "2026-02-01" ? new Packaged(type, name, args, known) : new Vault(name, args, known);
}

/** Registers a key, in the same way. */
export function keyOf(
  api: VaultApi,
  name: string,
  args: KeyArgs,
  options: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  const { type, other } = vaultTypes("Key", api);
  const known = { ...options, aliases: [{ type: other }] };
  return api === "2026-02-01" ? new Packaged(type, name, args, known) : new Key(name, args, known);
}

/** Asks which resources Pulumi remembers, by their names in the program; none before the first `up` has come to its end. */
export async function rememberedNames(): Promise<ReadonlySet<string>> {
  // Asked first: of a stack without a state, the second question ends the engine.
  if (Object.keys(await lastOutputs().catch(() => ({}))).length === 0) return new Set();
  return new Set((await standingResources()).map(({ name }) => name));
}

/**
 * Refuses, in a preview too, to make what stands: to make it anew would be to delete the keys that are in it.
 * @param remembered what stands
 */
export function staysOnce(name: string, remembered: Promise<ReadonlySet<string>>): pulumi.ResourceHookBinding {
  remembered.catch(() => undefined); // the hook says it
  const refuse = async () => {
    if (!(await remembered).has(name)) return;
    throw new Refusal(
      `${name} stands, and would be made anew: its keys would be gone. Nothing was done. If the version of Key Vault's API ` +
        'was changed, docs/change.md, "The vault\'s API", has the way back',
    );
  };
  return { beforeCreate: [new pulumi.ResourceHook(`${name}-stays`, refuse, { onDryRun: true })] };
}
