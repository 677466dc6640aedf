import { SignerError } from "../errors.ts";
import { ownersCommand } from "../own-command.ts";
import type { SigningKey } from "./keyring.ts";

/**
 * Says why a key must not be used with a watermark store: two signers of one key, each with a memory of its own, are the
 * commonest cause of slashing.
 * @param storeId of the store; undefined while it is not known, which refuses no key that is bound to one store
 * @returns a reason in sentences; undefined where key and store belong together
 */
export function bindingProblem(
  { location, boundStoreId, bindingConflict }: SigningKey,
  storeId: string | undefined,
): string | undefined {
  if (bindingConflict !== undefined) return bindingConflict;
  if (boundStoreId === undefined || storeId === undefined || boundStoreId === storeId) return undefined;
  return (
    `${location} is bound to the watermark store ${boundStoreId}, and this signer has ${storeId}. Stop the other signer, ` +
    `bring its watermarks here, then bind the key anew (${ownersCommand("keys bind")}).`
  );
}

/**
 * Requires that a key's store is this one.
 * @returns `unknown` for a bound key while the store has not told its id: the key must not be asked before it has
 * @throws SignerError `watermark-untrusted` where the key is bound to another store
 */
export function requireOwnStore(key: SigningKey, storeId: string | undefined): "own" | "unknown" {
  const problem = bindingProblem(key, storeId);
  if (problem !== undefined) throw new SignerError("watermark-untrusted", problem);
  return key.boundStoreId !== undefined && storeId === undefined ? "unknown" : "own";
}
