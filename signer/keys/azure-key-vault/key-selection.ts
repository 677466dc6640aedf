import type { KeyVaultKey } from "@azure/keyvault-keys";
import { STORE_TAG } from "../../contract.ts";
import { EncodingError } from "../../tezos/crypto/base58.ts";
import { type PublicKey, publicKeyFromJwk } from "../../tezos/crypto/public-key.ts";

/** A version of a vault key that can sign. */
export interface UsableKey {
  readonly name: string;
  /** 32 hex digits. */
  readonly version: string;
  /** Full id with the version: what is signed with, whatever becomes the key's current version later. */
  readonly id: string;
  readonly publicKey: PublicKey;
  readonly store: string | undefined;
}

/**
 * Whether a version of a key can sign for Tezos.
 * @param now milliseconds since 1970
 * @returns the key, or why not, in words for the log
 */
export function usable(key: KeyVaultKey, now: number): UsableKey | string {
  const { enabled, notBefore, expiresOn, tags = {}, version } = key.properties;
  if (!key.keyType?.startsWith("EC")) return `it is of type ${key.keyType}; a Tezos key is EC-HSM or EC`;
  if (enabled === false) return "it is disabled";
  if (expiresOn !== undefined && expiresOn.getTime() <= now) return `it expired at ${expiresOn.toISOString()}`;
  if (notBefore !== undefined && notBefore.getTime() > now) return `it is not valid before ${notBefore.toISOString()}`;
  if (!key.keyOperations?.includes("sign")) return "its permitted operations do not include sign";
  if (version === undefined || key.id === undefined) return "the vault named no version of it";
  try {
    const publicKey = publicKeyFromJwk(key.key ?? {});
    return { name: key.name, version, id: key.id, publicKey, store: tags[STORE_TAG] };
  } catch (error) {
    if (error instanceof EncodingError) return error.message;
    throw error;
  }
}

/** A key of the settings' `include`: a name, whose newest enabled version is meant, or one version of it. */
export interface Wanted {
  readonly name: string;
  readonly version?: string;
}

/** @param text `name` or `name/version`, as the settings' schema allows it */
export function wanted(text: string): Wanted {
  const [name = "", version] = text.split("/");
  return version === undefined ? { name } : { name, version };
}

/** Whether a setting means this version of a key; a name alone means each of its versions that is in use. */
export function isMeant({ name, version }: Wanted, key: UsableKey): boolean {
  return name === key.name && (version === undefined || version === key.version);
}
