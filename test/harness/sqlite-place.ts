import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { StoreError } from "../../signer/watermark/stores/store.ts";
import { KEY, rowAt } from "../fixtures/watermark-rows.ts";
import { rejection } from "./rejection.ts";

/** A folder for a SQLite store, and the stores that were opened in it. */
export class SqlitePlace implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "sqlite-store-"));
  readonly path = join(this.folder, "watermarks.sqlite");
  /** What the stores told that is no reason to refuse. */
  readonly warnings: string[] = [];
  readonly #stores: SqliteStore[] = [];

  /** A store as a signer has it at its start; the one before must be closed. */
  open(path = this.path): SqliteStore {
    const store = new SqliteStore(path, (message) => void this.warnings.push(message));
    this.#stores.push(store);
    return store;
  }

  /** An open store, new, with one row. */
  async started(level = 100): Promise<SqliteStore> {
    const store = this.open();
    await store.establish("id-1");
    await store.insert(KEY, rowAt(level));
    return store;
  }

  /** A store with one row, closed again. */
  async made(level = 100): Promise<void> {
    await (await this.started(level)).close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Writes another row over the one that is there. */
export async function raise(store: SqliteStore, level: number): Promise<void> {
  const found = await store.read(KEY);
  await store.replace(KEY, rowAt(level), found?.version ?? "");
}

/** Expects a hard stop. @returns its words */
export async function hardStop(promise: Promise<unknown>): Promise<string> {
  const error = await rejection(promise, StoreError);
  expect(error.fault, error.message).to.equal("untrusted");
  return error.message;
}
