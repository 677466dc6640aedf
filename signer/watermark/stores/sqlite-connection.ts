import { accessSync, closeSync, constants, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { untrusted } from "./sqlite-file.ts";

/** "tzwm": tells this file from any other SQLite database. */
export const APPLICATION_ID = 0x747a776d;
const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE store (id TEXT NOT NULL) STRICT;
  CREATE TABLE watermarks (
    chain_id TEXT NOT NULL, address TEXT NOT NULL, kind TEXT NOT NULL,
    level INTEGER NOT NULL, round INTEGER NOT NULL, digest TEXT, signature TEXT,
    anchor_level INTEGER NOT NULL, anchor_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (chain_id, address, kind)
  ) STRICT, WITHOUT ROWID;
`;

export type Statements = Readonly<Record<"identity" | "read" | "insert" | "replace" | "list", StatementSync>>;

/**
 * An open database of watermarks: in WAL mode with synchronous=FULL, so that each commit is one sync of the log, and with an
 * exclusive lock. What `fold` does besides may wait until after the answer.
 */
export class SqliteConnection {
  readonly statements: Statements;
  readonly #path: string;
  readonly #database: DatabaseSync;

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.statements = prepare(database);
  }

  /** Makes a whole store, with nothing in it but its id. @param path where there is no file yet */
  static create(path: string, id: string): void {
    closeSync(openSync(path, "wx", 0o600));
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; ${SCHEMA}`);
    database.prepare("INSERT INTO store (id) VALUES (?)").run(id);
    database.close();
  }

  /**
   * Opens a file that is there, locks it for this process alone, and makes every commit durable.
   * @throws StoreError `untrusted` where it is no whole watermark store; SQLite's own errors
   */
  static open(path: string): SqliteConnection {
    // SQLite calls a file that it may not write a disk I/O error.
    accessSync(path, constants.R_OK | constants.W_OK);
    const database = new DatabaseSync(path);
    try {
      makeDurable(path, database);
      const version = pragma(database, "user_version");
      if (version !== SCHEMA_VERSION)
        throw untrusted(path, `has format ${version}; this signer reads ${SCHEMA_VERSION}`);
      if (pragma(database, "quick_check") !== "ok") throw untrusted(path, "is damaged");
      return new SqliteConnection(path, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /**
   * Brings all that is in the log into the one file, and begins the log anew. The first commit of a log costs a sync more, of
   * the log's head; so one is made here that changes nothing, for the next answer to wait for its own sync alone. What it
   * says need not last, so of it only the head is synced.
   * @throws StoreError `untrusted` where something stays behind; SQLite's own errors
   */
  fold(): void {
    const { busy, log, checkpointed } = this.#database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() ?? {};
    if (busy !== 0 || log !== checkpointed) throw untrusted(this.#path, "cannot take in its log");
    const nothing = `PRAGMA user_version = ${SCHEMA_VERSION}`;
    this.#database.exec(`PRAGMA synchronous = NORMAL; ${nothing}; PRAGMA synchronous = FULL`);
  }

  close(): void {
    this.#database.close();
  }
}

function makeDurable(path: string, database: DatabaseSync): void {
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  // Asked before anything is written: another program's database stays as it is.
  if (pragma(database, "application_id") !== APPLICATION_ID) throw untrusted(path, "is no watermark store");
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  // The lock is taken by the first write transaction and, in this mode, kept.
  database.exec("BEGIN EXCLUSIVE; COMMIT;");
  // Read back: a build of SQLite may have another default for a database that is in WAL mode already.
  if (pragma(database, "journal_mode") !== "wal" || pragma(database, "synchronous") !== 2) {
    throw untrusted(path, "cannot be opened for durable writes");
  }
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function prepare(database: DatabaseSync): Statements {
  const where = "WHERE chain_id = ? AND address = ? AND kind = ?";
  const rows = (sql: string) => {
    const statement = database.prepare(sql);
    // A number that JavaScript does not have is no error of the whole file.
    statement.setReadBigInts(true);
    return statement;
  };
  return {
    identity: database.prepare("SELECT id FROM store"),
    read: rows(`SELECT * FROM watermarks ${where}`),
    insert: database.prepare("INSERT INTO watermarks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING"),
    replace: database.prepare(
      "UPDATE watermarks SET level = ?, round = ?, digest = ?, signature = ?, anchor_level = ?, anchor_at = ?, " +
        `version = ? ${where} AND version = ?`,
    ),
    list: rows("SELECT * FROM watermarks"),
  };
}
