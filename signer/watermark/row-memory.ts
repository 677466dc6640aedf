import { compare, type Mark, positionInWords } from "./decision.ts";
import { type Row, type RowKey, rowName, StoreError, type Versioned, type WatermarkStore } from "./stores/store.ts";

/** Whether what was seen before will do, or the store is to be read again. */
export type Seen = "known" | "anew";

/**
 * What this process knows of the rows: the last state of each, so that a warm request needs no read, and the highest
 * mark that was ever seen, so that a store that went back in time is noticed.
 */
export class RowMemory {
  readonly #store: WatermarkStore;
  readonly #known = new Map<string, Versioned>();
  readonly #highest = new Map<string, Mark & { readonly key: RowKey }>();

  constructor(store: WatermarkStore) {
    this.#store = store;
  }

  /**
   * The row as last seen, or as the store has it now.
   * @throws StoreError `untrusted` where the store holds less than this process has seen
   */
  async current(key: RowKey, signal: AbortSignal, from: Seen = "known"): Promise<Versioned | undefined> {
    const name = rowName(key);
    const known = this.#known.get(name);
    if (known !== undefined && from === "known") return known;
    // Taken before the question is sent: a slow answer may rightly be older than what a faster one has told meanwhile.
    const seen = this.#highest.get(name);
    const found = await this.#store.read(key, signal);
    if (seen !== undefined) refuseOlder(name, found?.row, seen);
    if (found !== undefined) this.remember(key, found);
    return found;
  }

  /** Notes a state that the store has confirmed. */
  remember(key: RowKey, state: Versioned): void {
    if (this.see(key, state.row)) this.#known.set(rowName(key), state);
  }

  /** Notes how far a row had come by a list of all, which says no version. @returns whether no more than that was seen yet */
  see(key: RowKey, row: Row): boolean {
    const name = rowName(key);
    const seen = this.#highest.get(name);
    if (seen !== undefined && isOlder(row, seen)) return false;
    this.#highest.set(name, { ...row, key });
    return true;
  }

  /** The chains on which a key has rows, as far as they were seen. */
  chainsOf(address: string): ReadonlySet<string> {
    const keys = [...this.#highest.values()].map(({ key }) => key);
    return new Set(keys.filter((key) => key.address === address).map(({ chainId }) => chainId));
  }

  /** Forgets the state but not what was seen: the next request reads. */
  invalidate(key: RowKey): void {
    this.#known.delete(rowName(key));
  }

  /** The highest mark seen of each row, by row name, for /status. */
  marks(): ReadonlyMap<string, Mark & { readonly key: RowKey }> {
    return this.#highest;
  }
}

/** Tells whether a mark is what a row held before the one that was seen. */
export function isOlder(mark: Mark, seen: Mark): boolean {
  const order = compare(mark, seen);
  return order < 0 || (order === 0 && strictness(mark) < strictness(seen));
}

/** At one position a mark only ever becomes stricter: reserved, signed, and unknown where an import disagreed. */
function strictness({ digest, signature }: Mark): 0 | 1 | 2 {
  if (digest === undefined) return 2;
  return signature === undefined ? 0 : 1;
}

function refuseOlder(name: string, found: Mark | undefined, seen: Mark): void {
  const was = positionInWords(seen);
  if (found === undefined) throw new StoreError("untrusted", `The ${name} was at ${was} and is gone. ${CURE}`);
  if (isOlder(found, seen)) {
    const is = positionInWords(found);
    throw new StoreError("untrusted", `The ${name} was at ${was} and is now at ${is}: the store went back. ${CURE}`);
  }
  if (compare(found, seen) !== 0 || found.digest === undefined) return;
  if (found.digest !== seen.digest) {
    throw new StoreError("untrusted", `The ${name} at ${was} has another digest than before. ${CURE}`);
  }
  if (seen.signature !== undefined && found.signature !== seen.signature) {
    throw new StoreError("untrusted", `The ${name} at ${was} has another signature than before. ${CURE}`);
  }
}

const CURE = "Find out who changed the store, stop every other signer of this key, then restart this one.";
