import { type Row, type RowKey, StoreError, type Versioned, type WatermarkStore } from "./store.ts";

/** What is asked of a store in a trial. */
export type ReadableStore = Omit<WatermarkStore, "establish" | "insert" | "replace">;

/**
 * A store that is asked and never changed, for the trial of a release beside the signer that runs: what a start would make
 * there counts as made.
 */
export class UnwrittenStore implements WatermarkStore {
  readonly #store: ReadableStore;
  /** Whether the store would have been made: it has no rows then. */
  #isNew = false;

  constructor(store: ReadableStore) {
    this.#store = store;
  }

  get isShared(): boolean {
    return this.#store.isShared;
  }

  identity(signal: AbortSignal): Promise<string | undefined> {
    return this.#store.identity(signal);
  }

  async establish(): Promise<void> {
    this.#isNew = true;
  }

  now(signal: AbortSignal): Promise<number> {
    return this.#store.now(signal);
  }

  probe(): void {
    this.#store.probe?.();
  }

  async read(key: RowKey, signal: AbortSignal): Promise<Versioned | undefined> {
    return this.#isNew ? undefined : this.#store.read(key, signal);
  }

  async insert(): Promise<string> {
    return "unwritten";
  }

  async replace(): Promise<never> {
    throw new StoreError("untrusted", "A trial signs nothing, so it changes no row.");
  }

  async list(signal: AbortSignal): Promise<{ readonly key: RowKey; readonly row: Row }[]> {
    return this.#isNew ? [] : this.#store.list(signal);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
