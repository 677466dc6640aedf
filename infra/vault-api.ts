/**
 * By which version of Key Vault's control plane vault and keys are asked for. Pure.
 *
 * azure-native's own version ends (api-versions.ts). A version that stays is reached by a package of the provider that is
 * made for it (`pulumi package add azure-native keyvault 2026-02-01` shows it), whose resources have types of their own; by
 * an alias the vault that stands is the same one. What cannot be tried without an account is not the default: docs/change.md,
 * "The vault's API", says what to see first.
 * @module
 */

export type VaultApi = "2024-11-01" | "2026-02-01";

/** Whoever has seen the other one on a test stack, with `npm run verify` after it, changes this line. */
export const VAULT_API: VaultApi = "2024-11-01";

/** The provider's package of the version that stays. Its parameter is what the provider writes into a package (provider_parameterize.go). */
export const VAULT_PACKAGE = {
  name: "azure-native_keyvault_v20260201",
  parameter: { module: "keyvault", version: "v20260201" },
} as const;

const OWN = "azure-native:keyvault:";
const PACKAGED = `${VAULT_PACKAGE.name}:keyvault:`;

/** Returns the type of a resource, and the one that it has by the other version. */
export function vaultTypes(kind: "Vault" | "Key", api: VaultApi): { readonly type: string; readonly other: string } {
  const [own, packaged] = [OWN + kind, PACKAGED + kind];
  return api === "2026-02-01" ? { type: packaged, other: own } : { type: own, other: packaged };
}

/** Returns the type by which everybody here knows a resource, whichever version it is asked for by. */
export function usualType(type: string): string {
  return type.startsWith(PACKAGED) ? OWN + type.slice(PACKAGED.length) : type;
}
