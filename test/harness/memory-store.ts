import {
  type Row,
  type RowKey,
  rowName,
  StoreError,
  type Versioned,
  type WatermarkStore,
} from "../../signer/watermark/stores/store.ts";

/** The plainest store there can be: what the others are compared with, and what tests roll back by hand. */
export class MemoryStore implements WatermarkStore {
  isShared = true;
  id: string | undefined;
  readonly rows = new Map<string, { readonly key: RowKey; readonly row: Row; readonly version: string }>();
  /** The store's clock. */
  clock: () => number = Date.now;
  #version = 0;

  constructor(id?: string) {
    this.id = id;
  }

  async identity(): Promise<string | undefined> {
    return this.id;
  }
  async establish(id: string): Promise<void> {
    if (this.id !== undefined) throw new StoreError("conflict", "There is a store already.");
    this.id = id;
  }
  async now(): Promise<number> {
    return this.clock();
  }
  async read(key: RowKey): Promise<Versioned | undefined> {
    const found = this.rows.get(rowName(key));
    return found === undefined ? undefined : { row: found.row, version: found.version };
  }
  async insert(key: RowKey, row: Row): Promise<string> {
    if (this.rows.has(rowName(key))) throw new StoreError("conflict", "There is a row already.");
    return this.put(key, row);
  }
  async replace(key: RowKey, row: Row, version: string): Promise<string> {
    if (this.rows.get(rowName(key))?.version !== version) throw new StoreError("conflict", "The row has changed.");
    return this.put(key, row);
  }
  async list(): Promise<{ readonly key: RowKey; readonly row: Row }[]> {
    return [...this.rows.values()].map(({ key, row }) => ({ key, row }));
  }
  async close(): Promise<void> {}

  /** Writes whatever was there: what no signer may do. */
  put(key: RowKey, row: Row): string {
    const version = String(++this.#version);
    this.rows.set(rowName(key), { key, row, version });
    return version;
  }
}
