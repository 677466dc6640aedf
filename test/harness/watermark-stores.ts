import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AzureTableStore } from "../../signer/watermark/stores/azure-table.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import type { WatermarkStore } from "../../signer/watermark/stores/store.ts";
import { azurite, tableCredential } from "../emulators/azurite.ts";

/** One place where watermarks are kept, empty at first. */
export interface StorePlace extends AsyncDisposable {
  /** The store as a signer opens it at its start. For `sqlite` the one before must be closed. */
  open(): Promise<WatermarkStore>;
}

export interface StoreKind {
  readonly name: "sqlite" | "azure-table";
  /** Whether several signers may have it open at once. */
  readonly shared: boolean;
  place(): Promise<StorePlace>;
}

/** Every store there is: the tests of the guard pass on each of them, unchanged. */
export const STORE_KINDS: readonly StoreKind[] = [
  {
    name: "sqlite",
    shared: false,
    async place() {
      const folder = mkdtempSync(join(tmpdir(), "watermarks-"));
      return {
        open: async () => new SqliteStore(join(folder, "watermarks.sqlite")),
        [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  },
  {
    name: "azure-table",
    shared: true,
    async place() {
      const { endpoint } = await azurite();
      const table = tableName();
      return {
        open: async () => new AzureTableStore({ endpoint, table, credential: tableCredential }),
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  },
];

let tables = 0;

/** A table's name of this run. */
export function tableName(): string {
  return `watermarks${process.pid}x${tables++}`;
}
