import type { KeyVaultKey } from "@azure/keyvault-keys";
import { EncodingError } from "../../tezos/crypto/base58.ts";
import type { Curve } from "../../tezos/crypto/curve.ts";
import { type PublicKey, publicKeyFromJwk } from "../../tezos/crypto/public-key.ts";

/**
 * The algorithm that the vault wants, by the name of a key's curve: it compares names, not curves. `SECP256K1` is what
 * `P-256K` was called in Key Vault's preview; a key keeps the name that it was made with, and `az keyvault key import`
 * still gives it (github.com/Azure/azure-cli/issues/18462).
 */
const ALGORITHMS: Readonly<Record<string, string>> = { "P-256": "ES256", "P-256K": "ES256K", SECP256K1: "ECDSA256" };

/** A version of a vault key that can sign. */
export interface UsableKey {
  readonly name: string;
  /** 32 hex digits. */
  readonly version: string;
  /** Full id with the version: what is signed with, whatever becomes the key's current version later. */
  readonly id: string;
  readonly publicKey: PublicKey;
  /** What the vault calls the signatures that are wanted of it. */
  readonly algorithm: string;
}

/**
 * Reads a version of a key as one that can sign for Tezos.
 * @param now milliseconds since 1970
 * @returns the key, or why it cannot sign, in words for the log
 */
export function toUsableKey(key: KeyVaultKey, now: number): UsableKey | { readonly unusable: string } {
  const { enabled, notBefore, expiresOn, version } = key.properties;
  if (!key.keyType?.startsWith("EC")) return { unusable: `it is of type ${key.keyType}; a Tezos key is EC-HSM or EC` };
  if (enabled === false) return { unusable: "it is disabled" };
  if (expiresOn !== undefined && expiresOn.getTime() <= now)
    return { unusable: `it expired at ${expiresOn.toISOString()}` };
  if (notBefore !== undefined && notBefore.getTime() > now)
    return { unusable: `it is not valid before ${notBefore.toISOString()}` };
  if (!key.keyOperations?.includes("sign")) return { unusable: "its permitted operations do not include sign" };
  if (version === undefined || key.id === undefined) return { unusable: "the vault named no version of it" };
  try {
    const jwk = key.key ?? {};
    const publicKey = publicKeyFromJwk(jwk);
    const algorithm = Object.hasOwn(ALGORITHMS, jwk.crv ?? "") ? ALGORITHMS[jwk.crv ?? ""] : undefined;
    if (algorithm === undefined) return { unusable: unknownName(jwk.crv, publicKey.curve) };
    return { name: key.name, version, id: key.id, publicKey, algorithm };
  } catch (error) {
    if (error instanceof EncodingError) return { unusable: error.message };
    throw error;
  }
}

/** Reads the public key of a version, whether it can sign or not. @returns undefined for what is no Tezos key */
export function tezosKeyOf(key: KeyVaultKey): PublicKey | undefined {
  if (!key.keyType?.startsWith("EC")) return undefined;
  try {
    return publicKeyFromJwk(key.key ?? {});
  } catch (error) {
    if (error instanceof EncodingError) return undefined;
    throw error;
  }
}

function unknownName(name: string | undefined, curve: Curve): string {
  return `its curve is named ${name}, and which algorithm the vault wants for that name is not known; import the key anew, with its curve named ${curve}`;
}

/** A key of the settings' `include`: a name, whose newest enabled version is meant, or one version of it. */
export interface KeySelector {
  readonly name: string;
  readonly version?: string;
}

/** Reads an entry of `include`. @param text `name` or `name/version`, as the settings' schema allows it */
export function parseKeySelector(text: string): KeySelector {
  const [name = "", version] = text.split("/");
  return version === undefined ? { name } : { name, version };
}

/** Tells whether a selector means this version of a key; a name alone means each of its versions that is in use. */
export function matches({ name, version }: KeySelector, key: UsableKey): boolean {
  return name === key.name && (version === undefined || version === key.version);
}
