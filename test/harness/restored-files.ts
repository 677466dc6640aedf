import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { SqlitePlace } from "./sqlite-place.ts";

const NAME = "watermarks.sqlite";

/** What may be done to a file of a store, or to its log. */
export interface Touch {
  readonly kind: "overwrite" | "replace" | "remove" | "touch";
  readonly file: "" | "-wal";
}

/**
 * A SQLite store's files and its process, which ends and starts, while somebody copies them and puts copies back. Two things
 * are left out, since nothing can tell them: a folder that goes back as a whole, with the witness; and a log that is taken
 * away from a process that is killed in the moment between an answer and the end of its turn, for that log alone has it.
 */
export class RestoredFiles implements AsyncDisposable {
  readonly #place = new SqlitePlace();
  #folder = join(this.#place.folder, "0");
  #lives = 0;
  #store: SqliteStore | undefined;
  /** Whether something was answered that only the log holds. */
  #isUnsettled = false;

  constructor() {
    mkdirSync(this.#folder);
  }

  get #path(): string {
    return join(this.#folder, NAME);
  }

  /** Whether a process has the store. */
  get isOpen(): boolean {
    return this.#store !== undefined;
  }

  /** The store as a process has it that runs, or is started now. */
  async open(): Promise<SqliteStore> {
    if (this.#store === undefined) {
      this.#store = this.#place.open(this.#path);
      this.#isUnsettled &&= (await this.#store.identity()) === undefined;
    }
    return this.#store;
  }

  /** Notes that something was answered in this turn of the event loop. */
  answered(): void {
    this.#isUnsettled = true;
  }

  /** Lets the turn end, in which the store brings what was written into its one file. */
  async turn(): Promise<void> {
    await nextTurn();
    this.#isUnsettled &&= this.#store === undefined;
  }

  /** Ends the process: politely, or with its files as they are at this moment. */
  async end(how: "stop" | "kill"): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    if (store === undefined) return;
    if (how === "kill") {
      const folder = join(this.#place.folder, String(++this.#lives));
      mkdirSync(folder);
      for (const name of readdirSync(this.#folder)) copyFileSync(join(this.#folder, name), join(folder, name));
      this.#folder = folder;
    }
    await store.close();
    this.#isUnsettled &&= how === "kill";
  }

  /** Copies the files as they are, for a later `touch`: with the log, or as a second computer's copy without one. */
  copy(how: "back up" | "copy away"): void {
    for (const ending of ["", "-wal"]) {
      const to = join(this.#place.folder, NAME + ending);
      rmSync(to, { force: true });
      const isWanted = ending === "" || how === "back up";
      if (isWanted && existsSync(this.#path + ending)) copyFileSync(this.#path + ending, to);
    }
  }

  /** Does something to a file under the process, or while there is none. @returns whether it was done */
  touch({ kind, file }: Touch): boolean {
    const target = this.#path + file;
    const copy = join(this.#place.folder, NAME + file);
    if (!existsSync(target) || (file === "-wal" && this.#isUnsettled)) return false;
    this.#waitForAnotherTime(target);
    if (kind === "remove") rmSync(target);
    else if (kind === "touch") utimesSync(target, 1, 1);
    else if (!existsSync(copy)) return false;
    else if (kind === "overwrite") copyFileSync(copy, target);
    else {
      copyFileSync(copy, `${target}.restored`);
      renameSync(`${target}.restored`, target);
    }
    return true;
  }

  /** Kernels before 6.13 tell a file's times in ticks of some milliseconds. */
  #waitForAnotherTime(path: string): void {
    const probe = join(this.#place.folder, "probe");
    const { ctimeNs } = statSync(path, { bigint: true });
    do writeFileSync(probe, "");
    while (statSync(probe, { bigint: true }).ctimeNs <= ctimeNs);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#place[Symbol.asyncDispose]();
  }
}
