import {
  accessSync,
  type BigIntStats,
  constants,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { reasonOf } from "../../errors.ts";
import { StoreError } from "./store.ts";

const MEND = "Mend the cause, make sure that nothing was lost (docs/recover.md), then restart.";

/** Files beside a database, by their endings: SQLite's own, of which the first has the newest commits, and the witness. */
const LOG = "-wal";
const SQLITE_BESIDE = [LOG, "-shm", "-journal"];
export const WITNESS = ".seen";
/** Bytes that a disk must have free for a commit to SQLite's log, with room to spare. */
const LEAST_ROOM = 65_536;

/** Makes the error for a file that nothing may be signed on. @param what comes after the path @param cure what to do */
export function untrusted(path: string, what: string, cause?: unknown, cure = MEND): StoreError {
  return new StoreError("untrusted", `${path} ${what}. ${cure}`, { cause });
}

/**
 * The database of a SQLite store as a file: where it really is, that no mark can be lost between it and the log beside it,
 * and that nobody else touches the two while this process has them open. None is ever opened here: when a process closes
 * a file, it loses its locks on it, SQLite's too.
 */
export class SqliteFile {
  readonly #given: string;
  #path: string;
  /** As this process left them; none before they are open. */
  #left: readonly (BigIntStats | undefined)[] = [];

  /** @param path taken from the folder that is current now, wherever the process goes later */
  constructor(path: string) {
    this.#given = resolve(path);
    this.#path = this.#given;
  }

  /** Where the file is, links followed: what SQLite opens, with its log beside it. */
  get path(): string {
    return this.#path;
  }

  /**
   * Follows the links to the file, or to the folder where it would be.
   * @returns whether there is a file
   * @throws StoreError `untrusted` where there is none, and there was one
   */
  locate(): boolean {
    if (statSync(this.#given, { throwIfNoEntry: false }) !== undefined) {
      this.#path = realpathSync.native(this.#given);
      return true;
    }
    if (lstatSync(this.#given, { throwIfNoEntry: false }) !== undefined) {
      throw untrusted(this.#given, "is a symbolic link that leads nowhere");
    }
    const folder = statSync(dirname(this.#given), { throwIfNoEntry: false });
    if (folder === undefined) return false;
    this.#path = join(realpathSync.native(dirname(this.#given)), basename(this.#given));
    const remains = [...SQLITE_BESIDE, WITNESS].map((ending) => this.#path + ending);
    const left = remains.find((file) => statSync(file, { throwIfNoEntry: false }) !== undefined);
    if (left === undefined) return false;
    const cure = 'Put it back. Where it is lost, go on as docs/recover.md says under "The table is lost".';
    throw untrusted(this.#path, `is gone, and ${basename(left)}, which belongs to it, is still there`, undefined, cure);
  }

  /** Checks that there is a folder for a file that is to be made. @throws StoreError `untrusted` where there is none */
  requireFolder(): void {
    const folder = dirname(this.#path);
    if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
    const cure = "Is its disk mounted, and the path right? Else make the folder, then restart.";
    throw untrusted(this.#path, `cannot be made: there is no folder ${folder}`, undefined, cure);
  }

  /**
   * Checks that the file and its log cannot be parted: each name of a file has a log of its own, and so has each place
   * where it is mounted.
   * @throws StoreError `untrusted` where they can
   */
  requireWhole(): void {
    if (!statSync(this.#path).isFile()) {
      const cure = `Name the file in it, such as ${join(this.#path, "watermarks.sqlite")}, by \`watermarks.path\`.`;
      throw untrusted(this.#path, "is a folder, and no file", undefined, cure);
    }
    const mounted = mountPoints();
    if (["", ...SQLITE_BESIDE].some((ending) => mounted.includes(this.#path + ending))) {
      const cure = `Stop the signer, mount the folder that holds ${basename(this.#path)}, then restart.`;
      const what = "is mounted without its folder: the newest marks, beside it, would be lost";
      throw untrusted(this.#path, what, undefined, cure);
    }
    if (isLinked(this.#path)) removeDrafts(this.#path);
    if (isLinked(this.#path)) throw this.#linked();
  }

  /** Remembers the file and its log as they are: to be called when they have been opened. */
  opened(): void {
    this.#left = this.#now();
  }

  /** Remembers what this process has just written. @throws StoreError `untrusted` where it went to other files */
  written(): void {
    const now = this.#now();
    this.#requireInPlace(now);
    this.#left = now;
  }

  /**
   * Checks that the file and its log are as this process left them. The two times tell also a write that leaves the size as
   * it was, and a copy that takes its time from the original; but none within the tick of the kernel's clock, some
   * milliseconds, in which this process wrote itself.
   * @throws StoreError `untrusted` where somebody else was there
   */
  requireUntouched(): void {
    const now = this.#now();
    this.#requireInPlace(now);
    for (const [index, { size, mtimeNs, ctimeNs }] of now.entries()) {
      const left = this.#left[index];
      if (left?.size === size && left.mtimeNs === mtimeNs && left.ctimeNs === ctimeNs) continue;
      throw untrusted(this.#names[index] ?? "", "was changed by another program while it was in use");
    }
  }

  /**
   * Checks that the disk would take a write: it is not read-only, and has room for a commit.
   * @throws StoreError `unavailable` where it would not
   */
  requireRoom(): void {
    const fail = (reason: string, error?: unknown) => {
      throw new StoreError("unavailable", `${this.#path} takes no write now (${reason}).`, { cause: error });
    };
    try {
      accessSync(this.#path, constants.W_OK);
      accessSync(dirname(this.#path), constants.W_OK);
    } catch (error) {
      fail(reasonOf(error), error);
    }
    const { bavail, bsize } = statfsSync(this.#path);
    if (bavail * bsize < LEAST_ROOM) fail("the disk is full");
  }

  /**
   * A file that was removed or replaced under this process takes writes that no later start will find. The newest of them
   * are in the log, so that must be in its place as well.
   */
  #requireInPlace(now: readonly (BigIntStats | undefined)[]): asserts now is readonly BigIntStats[] {
    for (const [index, stats] of now.entries()) {
      const left = this.#left[index];
      if (stats === undefined || stats.ino !== left?.ino || stats.dev !== left.dev) {
        throw untrusted(this.#names[index] ?? "", "was removed or replaced while it was in use");
      }
      if (stats.nlink > 1n) throw this.#linked();
    }
  }

  /** Asked by the path that was given, so that a link which leads elsewhere meanwhile is noticed. */
  #now(): readonly (BigIntStats | undefined)[] {
    return [this.#given, this.#path + LOG].map((file) => statSync(file, { bigint: true, throwIfNoEntry: false }));
  }

  get #names(): readonly string[] {
    return [this.#path, this.#path + LOG];
  }

  #linked(): StoreError {
    const cure = "Remove the other name (`find -samefile` tells it), make sure that nothing was lost, then restart.";
    const what = "has another name (a hard link), by which the newest marks, beside it, would not be found";
    return untrusted(this.#path, what, undefined, cure);
  }
}

function isLinked(path: string): boolean {
  return statSync(path).nlink > 1;
}

/** Removes the draft that a file was made from, which is left by a process that was killed just then. */
function removeDrafts(path: string): void {
  const { ino } = statSync(path);
  const isDraft = (name: string) => name.startsWith(`${basename(path)}.`) && /\.\d+\.new$/.test(name);
  for (const name of readdirSync(dirname(path)).filter(isDraft)) {
    const draft = join(dirname(path), name);
    if (statSync(draft, { throwIfNoEntry: false })?.ino === ino) rmSync(draft);
  }
}

/** Where something is mounted, as this process sees it; empty where that cannot be known (no Linux, no right to read it). */
function mountPoints(): readonly string[] {
  let table: string;
  try {
    table = readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return [];
  }
  // proc_pid_mountinfo(5): the fifth field, with spaces and the like in octal.
  const character = (_: string, octal: string) => String.fromCharCode(Number.parseInt(octal, 8));
  return table.split("\n").map((line) => (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, character));
}
