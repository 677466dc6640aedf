import { closeSync, fsyncSync, linkSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, reasonOf } from "../../errors.ts";
import { questionsSent } from "./questions-sent.ts";
import { clockAtLeast, timeAtLeast } from "./sqlite-clock.ts";
import { SqliteConnection, type Statements } from "./sqlite-connection.ts";
import { SqliteFile, untrusted } from "./sqlite-file.ts";
import { isNamed, keyOf, namedRowOf, rowOf, valuesOf, versionAfter } from "./sqlite-rows.ts";
import { type NamedRow, Witness } from "./sqlite-witness.ts";
import { type Row, type RowKey, rowName, StoreError, type Versioned, type WatermarkStore } from "./store.ts";
import { STORE_ID_CURE, UnreadableRow } from "./stored-row.ts";

/** https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Watermarks in one local file, for one process, which has it locked for as long as it lives. An answer waits for one commit
 * to SQLite's log, which is one sync; before a later request is read, all of it is in the one file, and a witness beside it
 * knows what the file holds. A failed write is fatal: what a failed sync has left on the disk cannot be known, so it is not
 * tried again.
 */
export class SqliteStore implements WatermarkStore {
  readonly isShared = false;
  readonly #file: SqliteFile;
  readonly #witness: Witness;
  readonly #warn: (message: string) => void;
  #isClosed = false;
  #connection: SqliteConnection | undefined;
  #failure: StoreError | undefined;
  /** The newest time that was seen, in milliseconds since 1970. */
  #seen = 0;
  /** Known once the file is open. */
  #id: string | undefined;
  /** What the witness has not been told yet, by row name: it is told also where the files can be read no more. */
  readonly #untold = new Map<string, NamedRow>();
  /** Set while something is written that the one file does not hold yet. */
  #settling: NodeJS.Immediate | undefined;

  /**
   * @param path the file; its folder must exist, the file is made by `establish` alone
   * @param warn told what is no reason to refuse the request that is answered, and must be known all the same
   */
  constructor(path: string, warn: (message: string) => void = () => undefined) {
    this.#file = new SqliteFile(path);
    this.#witness = new Witness(warn);
    this.#warn = warn;
  }

  async identity(): Promise<string | undefined> {
    if (this.#connection === undefined && !this.#guarded(() => this.#file.locate())) return undefined;
    return this.#run(() => this.#id);
  }

  async establish(id: string): Promise<void> {
    if (this.#guarded(() => this.#file.locate())) throw this.#exists();
    const { path } = this.#file;
    const draft = `${path}.${process.pid}.new`;
    try {
      this.#guarded(() => {
        this.#file.requireFolder();
        rmSync(draft, { force: true });
        SqliteConnection.create(draft, id);
      });
      // The name appears with the whole file behind it, or not at all; and it never replaces another.
      linkSync(draft, path);
      rmSync(draft);
      const folder = openSync(dirname(path), "r");
      fsyncSync(folder);
      closeSync(folder);
      this.#guarded(() => this.#load()); // the lock is this process's from here on
    } catch (error) {
      if (errorCode(error) === "EEXIST") throw this.#exists();
      throw error instanceof StoreError ? error : untrusted(path, `cannot be made (${reasonOf(error)})`, error);
    } finally {
      rmSync(draft, { force: true });
    }
  }

  async now(): Promise<number> {
    this.#seen = Math.max(this.#seen, timeAtLeast(dirname(this.#file.path)));
    return this.#seen;
  }

  async read(key: RowKey): Promise<Versioned | undefined> {
    const found = this.#run(({ read }) => read.get(...keyOf(key)));
    if (found === undefined) return undefined;
    const [row, version] = [rowOf(found), String(found.version)];
    // A row is written over by its version; nobody else writes while this process has the file.
    if (row === undefined) throw new UnreadableRow(this.#file.path, key, found, version);
    return { row, version };
  }

  async insert(key: RowKey, row: Row): Promise<string> {
    const isDone = await this.#write({ key, row }, ({ insert }) => insert.run(...keyOf(key), ...valuesOf(row)));
    if (!isDone) throw new StoreError("conflict", `There is a row for the ${rowName(key)} already.`);
    return "1";
  }

  async replace(key: RowKey, row: Row, version: string): Promise<string> {
    const next = versionAfter(BigInt(version));
    const isDone = await this.#write({ key, row }, ({ replace }) =>
      replace.run(...valuesOf(row), next, ...keyOf(key), BigInt(version)),
    );
    if (!isDone) throw new StoreError("conflict", `The row for the ${rowName(key)} has changed.`);
    return String(next);
  }

  probe(): void {
    if (this.#connection !== undefined) this.#guarded(() => this.#file.requireUntouched());
  }

  async proveWritable(): Promise<void> {
    if (this.#connection === undefined) return;
    this.probe();
    this.#file.requireRoom();
  }

  async list(): Promise<{ key: RowKey; row: Row }[]> {
    return this.#run(({ list }) => list.all()).flatMap((found) => {
      const { key, row } = namedRowOf(found);
      if (key === undefined) return [];
      if (row === undefined) throw new UnreadableRow(this.#file.path, key, found, String(found.version));
      return { key, row };
    });
  }

  async close(): Promise<void> {
    this.#settle();
    this.#connection?.close();
    this.#connection = undefined;
    this.#isClosed = true;
  }

  #run<T>(work: (statements: Statements) => T): T {
    return this.#guarded(() => {
      // Whoever still asks (a look for /status) must not take the lock again from the next process.
      if (this.#isClosed) throw new StoreError("unavailable", `${this.#file.path} was closed.`);
      const { statements } = this.#connection ?? this.#load();
      this.#file.requireUntouched();
      return work(statements);
    });
  }

  /** @returns whether the row was written */
  async #write(
    named: NamedRow,
    work: (statements: Statements) => { readonly changes: number | bigint },
  ): Promise<boolean> {
    await questionsSent(); // a commit waits for the disk, and all wait for it
    if (Number(this.#run(work).changes) !== 1) return false;
    this.#guarded(() => this.#file.written());
    this.#untold.set(rowName(named.key), named);
    // Once this turn of the event loop is over: the answer has left by then, or the key is still at work on it, and no
    // request was read that can have come after an answer. Those that came together share the work.
    this.#settling ??= setImmediate(() => this.#settle());
    return true;
  }

  /** Makes the one file whole, and tells the witness in any case. Where it fails, what is asked next is refused. */
  #settle(): void {
    if (this.#settling === undefined) return;
    clearImmediate(this.#settling);
    this.#settling = undefined;
    try {
      this.#guarded(() => this.#fold());
    } catch (error) {
      this.#warn(messageOf(error));
    }
    this.#testify();
  }

  #fold(): void {
    this.#file.requireUntouched();
    this.#connection?.fold();
    this.#file.written();
  }

  #testify(): void {
    this.#seen = Math.max(this.#seen, clockAtLeast());
    this.#witness.remember([...this.#untold.values()], this.#seen);
    this.#untold.clear();
  }

  /** Opens a file that must be a whole watermark store already, and hold what it held before. */
  #load(): SqliteConnection {
    if (!this.#file.locate()) throw untrusted(this.#file.path, "is gone");
    this.#file.requireWhole();
    const connection = SqliteConnection.open(this.#file.path);
    this.#connection = connection;
    const { identity, list } = connection.statements;
    const id = identity.get()?.id ?? "";
    if (id === "") throw untrusted(this.#file.path, "has no store id", undefined, STORE_ID_CURE);
    const rows = list.all().map(namedRowOf).filter(isNamed);
    this.#seen = Math.max(this.#seen, this.#witness.compare(this.#file.path, { id: String(id), rows }));
    this.#id = String(id);
    for (const named of rows) this.#untold.set(rowName(named.key), named);
    this.#file.opened();
    this.#fold();
    this.#testify();
    return connection;
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
      const advice = "Only one may open it: stop the other. Never give a key a second file.";
      return new StoreError("in-use", `${this.#file.path} is held by another process. ${advice}`, { cause: error });
    }
    if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return untrusted(this.#file.path, "is damaged", error);
    return untrusted(this.#file.path, `failed (${reasonOf(error)})`, error);
  }

  #exists(): StoreError {
    return new StoreError("conflict", `${this.#file.path} exists already.`);
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** SQLite's primary result code, or undefined where the error is not SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
}
