import {
  type BigIntStats,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { WITNESS } from "./sqlite-file.ts";

/** A part of the file is never longer, and begins at a multiple of it: no part lies across two pages of memory. */
const SLOT = 512;
const END = "]}\n";

/**
 * The file of a witness: JSON in the interchange format, one mark a line. Each line has so many spaces at its end that a mark
 * is written over the one before it, in its place, whatever the other marks are; lines of spaces wait for marks to come. So a
 * write costs the same however many marks there are, and the text is whole JSON before and after it: what is written at once
 * lies in one page, of which a process that is killed has written all or nothing.
 */
export class WitnessFile {
  readonly path: string;
  readonly #store: string;
  /** For so many marks the file has lines. */
  #capacity = 0;
  /** As this process left it; undefined where it is to be written whole. */
  #left: BigIntStats | undefined;

  /** @param store the path of the store that this lies beside */
  constructor(store: string) {
    this.#store = store;
    this.path = store + WITNESS;
  }

  /** Whether nothing is to be written but what changes. */
  get isWhole(): boolean {
    return this.#left !== undefined;
  }

  /** Reads the file. @returns undefined where there is none @throws as `readFileSync` */
  read(): string | undefined {
    try {
      return readFileSync(this.path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Goes on with the file that is there, if its text is laid out as this class does it. */
  takeUp(text: string, head: string, marks: readonly string[]): void {
    const capacity = (text.length - padded(head, lengthOf(head)).length - END.length) / SLOT;
    if (!Number.isInteger(capacity) || capacity < marks.length || layOut(head, marks, capacity) !== text) return;
    this.#capacity = capacity;
    this.#left = statSync(this.path, { bigint: true });
  }

  /**
   * Writes what has changed, or the whole file where that is not all that is to be written. Not synced.
   * @param head the text before the first mark, of the same length each time
   * @param marks each as JSON, in an order that only grows
   * @param changed the indexes of those that the file does not have
   * @throws as `writeFileSync`; the next write is of the whole file then
   */
  write(head: string, marks: readonly string[], changed: readonly number[]): void {
    const left = this.#left;
    this.#left = undefined;
    const fits = left !== undefined && marks.length <= this.#capacity;
    if (!(fits && this.#writeParts(left, head, marks, changed))) this.#replace(head, marks);
  }

  /** @returns whether the file was the one that this process left; else nothing was written */
  #writeParts(left: BigIntStats, head: string, marks: readonly string[], changed: readonly number[]): boolean {
    const file = openIfThere(this.path);
    if (file === undefined) return false;
    try {
      if (!isSame(fstatSync(file, { bigint: true }), left) || this.#ownerToBe(left) !== undefined) return false;
      const length = lengthOf(head);
      for (const index of changed) writeSync(file, lineOf(marks[index] ?? "", index), length + index * SLOT);
      writeSync(file, padded(head, length), 0);
      this.#left = fstatSync(file, { bigint: true });
      return true;
    } finally {
      closeSync(file);
    }
  }

  /** Whoever owns the store must be able to read this: root may have opened it, to mend something. */
  #ownerToBe({ uid, gid }: BigIntStats): BigIntStats | undefined {
    const owner = process.getuid?.() === 0 && statSync(this.#store, { bigint: true, throwIfNoEntry: false });
    return !owner || (owner.uid === uid && owner.gid === gid) ? undefined : owner;
  }

  /** The file's name has the old content or the new, whenever this process ends. */
  #replace(head: string, marks: readonly string[]): void {
    const draft = `${this.path}.new`;
    const capacity = Math.ceil(marks.length * 1.25) + 8;
    rmSync(draft, { force: true });
    writeFileSync(draft, layOut(head, marks, capacity), { mode: 0o600, flag: "wx" });
    const owner = this.#ownerToBe(statSync(draft, { bigint: true }));
    if (owner !== undefined) chownSync(draft, Number(owner.uid), Number(owner.gid));
    renameSync(draft, this.path);
    this.#capacity = capacity;
    this.#left = statSync(this.path, { bigint: true });
  }
}

function layOut(head: string, marks: readonly string[], capacity: number): string {
  const blank = padded("", SLOT).repeat(capacity - marks.length);
  return padded(head, lengthOf(head)) + marks.map(lineOf).join("") + blank + END;
}

function lineOf(mark: string, index: number): string {
  return padded((index === 0 ? " " : ",") + mark, SLOT);
}

function padded(text: string, length: number): string {
  if (text.length >= length) throw new RangeError(`${text.length} characters are too many for ${length}`);
  return `${text.padEnd(length - 1)}\n`;
}

/** Of the head's place. */
function lengthOf(head: string): number {
  return Math.ceil((head.length + 1) / SLOT) * SLOT;
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
}

/** Whether nobody else wrote the file, put another in its place, or gave it a second name, which would change with it. */
function isSame(is: BigIntStats, was: BigIntStats): boolean {
  return (
    is.ino === was.ino && is.dev === was.dev && is.size === was.size && is.mtimeNs === was.mtimeNs && is.nlink === 1n
  );
}
