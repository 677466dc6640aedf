/**
 * Which watermark store guards a public key, judged by all that the vault shows of it. A key that lies there under two
 * names, or as two versions of one, has still one store: each signer sees one tag, and two tags are two memories.
 * @module
 */
import { UNBOUND } from "../../contract.ts";
import { ownersCommand } from "../../own-command.ts";
import type { VaultFault } from "./fault.ts";

/** A version of a key that names a store, whether it is enabled or not: a click enables it. */
export interface TaggedVersion {
  readonly id: string;
  readonly address: string;
  readonly storeId: string;
  readonly isEnabled: boolean;
}

/** What could not be read, so that it may be any key. */
export interface UnreadVersion {
  /** Id of a version, or name of a key whose versions could not be listed. */
  readonly id: string;
  /** The store that the version names; undefined where that was not shown either. */
  readonly storeId?: string;
  readonly fault: VaultFault;
}

/** Which stores the keys of a vault name. */
export interface StoreTags {
  /** The tag of each version that has one, by the version's id. */
  readonly own: ReadonlyMap<string, string>;
  readonly tagged: readonly TaggedVersion[];
  readonly unread: readonly UnreadVersion[];
}

export interface Binding {
  /** Id of the store that guards the key; undefined where none is named. */
  readonly boundStoreId: string | undefined;
  /** Why that is not certain, so that the key must not be served. */
  readonly conflict: string | undefined;
}

/** A version of a key that may be served. */
export interface Candidate {
  readonly id: string;
  readonly publicKey: { readonly address: string };
}

/** Tells whether a tag names a store, and is there to be one. */
export function isStore(tag: string | undefined): tag is string {
  return tag !== undefined && tag !== UNBOUND;
}

/**
 * Finds the store of a key. A version that names none is guarded by the store that the others name: else whoever finds it
 * would serve it. A version that says that it is unbound stays so. Where nothing names one any more, it is the one that was
 * named last: whoever writes another tag over all of them, as `az` does, has not freed the key.
 * @param before as it was at the last look, if the key was there; what is not known now does not take a key that is served
 * @param lastStoreId what the key named when it last named anything, for whoever looks again and again
 */
export function bindingOf(
  { id, publicKey: { address } }: Candidate,
  stores: StoreTags,
  before: Binding | undefined,
  lastStoreId?: string,
): Binding {
  const same = stores.tagged.filter((version) => version.address === address);
  const [storeId, ...others] = new Set(same.map((version) => version.storeId));
  const boundStoreId = stores.own.get(id) ?? storeId ?? lastStoreId;
  if (others.length > 0) return { boundStoreId, conflict: severalStores(address, same) };
  const unknown = stores.unread.find((version) => version.storeId === undefined || version.storeId !== storeId);
  const isAsBefore = before?.boundStoreId === boundStoreId && before !== undefined && before.conflict === undefined;
  if (unknown === undefined || isAsBefore) return { boundStoreId, conflict: undefined };
  return { boundStoreId, conflict: notKnown(address, unknown) };
}

/**
 * Chooses among versions of one key the one to serve: sooner one that names a store than one that names none, and last one
 * that is unbound; among equals the first.
 */
export function preferred<Version extends Candidate>(versions: readonly [Version, ...Version[]], stores: StoreTags) {
  const rank = ({ id }: Version) => {
    const tag = stores.own.get(id);
    return tag === undefined ? 1 : tag === UNBOUND ? 2 : 0;
  };
  return versions.reduce((best, version) => (rank(version) < rank(best) ? version : best));
}

function severalStores(address: string, versions: readonly TaggedVersion[]): string {
  const named = versions.map(({ id, storeId, isEnabled }) => `${id} names ${storeId}${isEnabled ? "" : " (disabled)"}`);
  return (
    `The vault holds the key ${address} more than once, bound to different watermark stores: ${named.join(", ")}. ` +
    "One key has one store, so it is not served. Stop every signer of it, bring what they signed into one store, then bind " +
    `the key to that one (${ownersCommand("keys bind")}): the command binds each version of it, wherever it lies in the vault.`
  );
}

function notKnown(address: string, { id, storeId, fault }: UnreadVersion): string {
  const named = storeId === undefined ? "may be bound to any store" : `is bound to the watermark store ${storeId}`;
  return `Whether ${id} is the key ${address} too is not known, and it ${named}, so the key is not served: ${fault.advice}`;
}
