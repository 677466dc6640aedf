import { accessSync, closeSync, constants, existsSync, fsyncSync, linkSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { messageOf } from "../../errors.ts";
import type { ConsensusKind } from "../../tezos/payload/payload.ts";
import { type Row, type RowKey, rowName, StoreError, type Versioned, type WatermarkStore } from "./store.ts";

/** "tzwm": tells this file from any other SQLite database. */
const APPLICATION_ID = 0x747a776d;
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

/** https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Watermarks in one local file, for one process: SQLite in WAL mode with synchronous=FULL, so that each commit is
 * synced to the disk, and with an exclusive lock for as long as the process lives. A failed write is fatal: what a failed fsync has
 * left on the disk cannot be known, so it is not tried again.
 */
export class SqliteStore implements WatermarkStore {
  readonly isShared = false;
  readonly #path: string;
  #database: DatabaseSync | undefined;
  #statements: Statements | undefined;
  #failure: StoreError | undefined;
  /** Of the open files, to tell whether they are still the ones at this path. */
  #inodes = "";

  /** @param path the file; its folder must exist, the file is made by `establish` alone */
  constructor(path: string) {
    this.#path = path;
  }

  async identity(): Promise<string | undefined> {
    if (this.#database === undefined && !existsSync(this.#path)) return undefined;
    const row = this.#run((statements) => statements.identity.get());
    if (row === undefined) throw this.#untrusted("has no store id");
    return String(row.id);
  }

  async establish(id: string): Promise<void> {
    const draft = `${this.#path}.${process.pid}.new`;
    try {
      this.#guarded(() => {
        rmSync(draft, { force: true });
        closeSync(openSync(draft, "wx", 0o600));
        const database = new DatabaseSync(draft);
        database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; ${SCHEMA}`);
        database.prepare("INSERT INTO store (id) VALUES (?)").run(id);
        database.close();
      });
      // The name appears with the whole file behind it, or not at all; and it never replaces another.
      linkSync(draft, this.#path);
      const folder = openSync(dirname(this.#path), "r");
      fsyncSync(folder);
      closeSync(folder);
      this.#guarded(() => this.#load()); // the lock is this process's from here on
    } catch (error) {
      if (errorCode(error) === "EEXIST") throw new StoreError("conflict", `${this.#path} exists already.`);
      throw error instanceof StoreError ? error : this.#untrusted(`cannot be made (${messageOf(error)})`, error);
    } finally {
      rmSync(draft, { force: true });
    }
  }

  async now(): Promise<number> {
    return Date.now();
  }

  async read(key: RowKey): Promise<Versioned | undefined> {
    const found = this.#run((statements) => statements.read.get(...keyOf(key)));
    return found === undefined ? undefined : { row: rowOf(found), version: String(found.version) };
  }

  async insert(key: RowKey, row: Row): Promise<string> {
    const { changes } = this.#write((statements) => statements.insert.run(...keyOf(key), ...valuesOf(row)));
    if (changes !== 1) throw new StoreError("conflict", `There is a row for the ${rowName(key)} already.`);
    return "1";
  }

  async replace(key: RowKey, row: Row, version: string): Promise<string> {
    const { changes } = this.#write((statements) =>
      statements.replace.run(...valuesOf(row), ...keyOf(key), Number(version)),
    );
    if (changes !== 1) throw new StoreError("conflict", `The row for the ${rowName(key)} has changed.`);
    return String(Number(version) + 1);
  }

  async list(): Promise<{ key: RowKey; row: Row }[]> {
    return this.#run((statements) => statements.list.all()).map((found) => ({
      key: {
        chainId: String(found.chain_id),
        address: String(found.address),
        kind: found.kind as ConsensusKind,
      },
      row: rowOf(found),
    }));
  }

  async close(): Promise<void> {
    this.#database?.close();
    this.#database = undefined;
    this.#statements = undefined;
  }

  #run<T>(work: (statements: Statements) => T): T {
    return this.#guarded(() => work(this.#statements ?? this.#load()));
  }

  #write<T>(work: (statements: Statements) => T): T {
    const result = this.#run(work);
    this.#guarded(() => this.#checkInPlace());
    return result;
  }

  /**
   * A file that was removed or replaced under this process takes writes that no later start will find. The newest of them
   * are in the write-ahead log, so that must be in its place as well.
   */
  #checkInPlace(): void {
    const now = inodes(this.#path);
    if (now !== this.#inodes) throw this.#untrusted("was removed or replaced while it was in use");
  }

  /** Opens a file that must be a whole watermark store already. */
  #load(): Statements {
    if (!existsSync(this.#path)) throw this.#untrusted("is gone");
    const database = this.#open();
    const version = pragma(database, "user_version");
    if (version !== SCHEMA_VERSION) throw this.#untrusted(`has format ${version}; this signer reads ${SCHEMA_VERSION}`);
    if (pragma(database, "quick_check") !== "ok") throw this.#untrusted("is damaged");
    this.#inodes = inodes(this.#path);
    this.#statements = prepare(database);
    return this.#statements;
  }

  /** Opens the file, locks it for this process alone, and makes every commit durable. */
  #open(): DatabaseSync {
    // SQLite calls a file that it may not write a disk I/O error.
    accessSync(this.#path, constants.R_OK | constants.W_OK);
    const database = new DatabaseSync(this.#path);
    this.#database = database;
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    // Asked before anything is written: another program's database stays as it is.
    if (pragma(database, "application_id") !== APPLICATION_ID) throw this.#untrusted("is no watermark store");
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    // The lock is taken by the first write transaction and, in this mode, kept.
    database.exec("BEGIN EXCLUSIVE; COMMIT;");
    // Read back: a build of SQLite may have another default for a database that is in WAL mode already.
    if (pragma(database, "journal_mode") !== "wal" || pragma(database, "synchronous") !== 2) {
      throw this.#untrusted("cannot be opened for durable writes");
    }
    return database;
  }

  #guarded<T>(work: () => T): T {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return work();
    } catch (error) {
      const failure = error instanceof StoreError ? error : this.#failureOf(error);
      this.#failure = failure;
      throw failure;
    }
  }

  #failureOf(error: unknown): StoreError {
    const code = sqliteCode(error);
    if (code === SQLITE_BUSY) {
      const advice = "Only one may open it: stop the other, or give this one a folder of its own.";
      return new StoreError("in-use", `${this.#path} is held by another process. ${advice}`, { cause: error });
    }
    if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return this.#untrusted("is damaged", error);
    return this.#untrusted(`failed (${messageOf(error)})`, error);
  }

  #untrusted(what: string, cause?: unknown): StoreError {
    const cure = "Mend the cause, make sure that nothing was lost, then restart.";
    return new StoreError("untrusted", `${this.#path} ${what}. ${cure}`, { cause });
  }
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: DatabaseSync): Record<"identity" | "read" | "insert" | "replace" | "list", StatementSync> {
  const where = "WHERE chain_id = ? AND address = ? AND kind = ?";
  return {
    identity: database.prepare("SELECT id FROM store"),
    read: database.prepare(`SELECT * FROM watermarks ${where}`),
    insert: database.prepare("INSERT INTO watermarks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING"),
    replace: database.prepare(
      "UPDATE watermarks SET level = ?, round = ?, digest = ?, signature = ?, anchor_level = ?, anchor_at = ?, " +
        `version = version + 1 ${where} AND version = ?`,
    ),
    list: database.prepare("SELECT * FROM watermarks"),
  };
}

/** Identifies the database and its write-ahead log, as they are now. */
function inodes(path: string): string {
  return [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.ino ?? "gone").join(" ");
}

function keyOf({ chainId, address, kind }: RowKey): [string, string, string] {
  return [chainId, address, kind];
}

function valuesOf({ level, round, digest, signature, anchor }: Row): SQLInputValue[] {
  return [level, round, digest ?? null, signature ?? null, anchor.level, anchor.at];
}

function rowOf(found: Record<string, unknown>): Row {
  return {
    level: Number(found.level),
    round: Number(found.round),
    ...(found.digest === null ? {} : { digest: String(found.digest) }),
    ...(found.signature === null ? {} : { signature: String(found.signature) }),
    anchor: { level: Number(found.anchor_level), at: Number(found.anchor_at) },
  };
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** SQLite's primary result code, or undefined where the error is not SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
}
