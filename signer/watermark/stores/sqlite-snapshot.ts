import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { reasonOf } from "../../errors.ts";
import { timeAtLeast } from "./sqlite-clock.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { keyOf, namedRowOf, rowOf } from "./sqlite-rows.ts";
import { type Row, type RowKey, StoreError, type Versioned } from "./store.ts";
import type { ReadableStore } from "./unwritten.ts";

/**
 * A SQLite store as its one file shows it, while another process has it locked: for a trial beside the signer that runs.
 * What is in that signer's log alone is not seen, so nothing may be decided by it but whether a start would be ready.
 */
export class SqliteSnapshot implements ReadableStore {
  readonly isShared = false;
  readonly #file: SqliteFile;

  /** @param path of the file, which need not be there */
  constructor(path: string) {
    this.#file = new SqliteFile(path);
  }

  async identity(): Promise<string | undefined> {
    if (!this.#file.locate()) return undefined;
    return this.#ask((database) => String(database.prepare("SELECT id FROM store").get()?.id ?? ""));
  }

  async now(): Promise<number> {
    return timeAtLeast(dirname(this.#file.path));
  }

  async read(key: RowKey): Promise<Versioned | undefined> {
    const where = "WHERE chain_id = ? AND address = ? AND kind = ?";
    const [found] = this.#rows(where, keyOf(key));
    const row = found && rowOf(found);
    return row && { row, version: String(found.version) };
  }

  async list(): Promise<{ key: RowKey; row: Row }[]> {
    return this.#rows("", []).flatMap((found) => {
      const { key, row } = namedRowOf(found);
      return key === undefined || row === undefined ? [] : { key, row };
    });
  }

  async close(): Promise<void> {}

  #rows(where: string, values: readonly string[]) {
    return this.#ask((database) => {
      const statement = database.prepare(`SELECT * FROM watermarks ${where}`);
      statement.setReadBigInts(true);
      return statement.all(...values);
    });
  }

  /** Asks the file without a look at locks or log (https://sqlite.org/uri.html, `immutable`); another time it may be whole. */
  #ask<T>(question: (database: DatabaseSync) => T): T {
    try {
      const place = pathToFileURL(resolve(this.#file.path));
      place.search = "immutable=1";
      const database = new DatabaseSync(place, { readOnly: true });
      try {
        return question(database);
      } finally {
        database.close();
      }
    } catch (error) {
      throw new StoreError("unavailable", `${this.#file.path} cannot be read now: ${reasonOf(error)}.`, {
        cause: error,
      });
    }
  }
}
