import { reasonOf } from "../../errors.ts";
import { isConsensusKind } from "../../tezos/payload/consensus-kind.ts";
import { type Mark, positionInWords } from "../decision.ts";
import { isOlder } from "../row-memory.ts";
import { untrusted } from "./sqlite-file.ts";
import { WitnessFile } from "./sqlite-witness-file.ts";
import { type Row, type RowKey, rowName } from "./store.ts";

/** One row of a store; without a mark where what lies there cannot be read. */
export interface NamedRow {
  readonly key: RowKey;
  readonly row: Row | undefined;
}

/** What a store holds. */
export interface Contents {
  readonly id: string;
  readonly rows: readonly NamedRow[];
}

/** One mark in the file, in the words of the interchange format, so that `watermarks import` reads it. */
interface Seen extends Mark {
  readonly chainId: string;
  readonly publicKeyHash: string;
  readonly kind: RowKey["kind"];
}

interface Testimony {
  readonly storeId: string;
  readonly exportedAt: string;
  readonly watermarks: readonly Seen[];
}

/**
 * The second place that remembers what a SQLite store held: a small file beside it, by which a file that went back while no
 * signer ran is noticed. It follows the store and is never waited for: it is written after the answer, and not synced. What a
 * write costs does not depend on the number of rows.
 */
export class Witness {
  readonly #warn: (message: string) => void;
  #file: WitnessFile | undefined;
  #storeId = "";
  /** What the file is to hold, each mark as JSON, in an order that only grows. */
  readonly #marks: string[] = [];
  /** Where a row's mark is among them, by row name. */
  readonly #places = new Map<string, number>();
  #isTold = false;

  /** @param warn told once when the file cannot be used, which is no reason to refuse a signature */
  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /**
   * Compares the store with what it held when this file was last written.
   * @param path the store's
   * @returns the newest time that was seen then, in milliseconds since 1970; 0 where there is no witness
   * @throws StoreError `untrusted` where the store holds less, or is another one
   */
  compare(path: string, { id, rows }: Contents): number {
    const file = new WitnessFile(path);
    this.#file = file;
    this.#storeId = id;
    const text = readText(path, file);
    if (text === undefined) return 0;
    const testimony = parse(text);
    if (testimony === undefined) {
      // Not synced, so a power cut may leave an empty file.
      this.#tell("is damaged, and is written anew");
      return 0;
    }
    const older = (what: string) => untrusted(path, `is not what it was: ${what}`, undefined, restored(file.path));
    if (testimony.storeId !== id) throw older(`its id was ${testimony.storeId} and is ${id}`);
    const held = new Map(rows.map(({ key, row }) => [rowName(key), row]));
    for (const seen of testimony.watermarks) {
      const key = { ...seen, address: seen.publicKeyHash };
      const name = rowName(key);
      const is = held.get(name);
      // What cannot be read stops whoever reads it; what was seen of it is kept.
      const isUnreadable = is === undefined && held.has(name);
      if (!isUnreadable && (is === undefined || contradicts(is, seen)))
        throw older(`the ${name} was at ${told(seen)} and is ${is === undefined ? "gone" : `at ${told(is)}`}`);
      this.#put(name, textOf(key, seen));
    }
    const seenAt = Date.parse(testimony.exportedAt);
    file.takeUp(text, this.#head(seenAt), this.#marks);
    return seenAt;
  }

  /**
   * Writes down what the store holds now.
   * @param changed the rows that may have changed since
   * @param now milliseconds since 1970
   */
  remember(changed: readonly NamedRow[], now: number): void {
    const indexes = changed.flatMap(({ key, row }) => {
      if (row === undefined) return [];
      return this.#put(rowName(key), textOf(key, row)) ?? [];
    });
    const file = this.#file;
    if (file === undefined || (indexes.length === 0 && file.isWhole)) return;
    try {
      file.write(this.#head(now), this.#marks, indexes);
      this.#isTold = false;
    } catch (error) {
      this.#tell(`cannot be written (${reasonOf(error)})`);
    }
  }

  /** @returns the mark's place, or undefined where it is there already */
  #put(name: string, text: string): number | undefined {
    const place = this.#places.get(name) ?? this.#marks.length;
    if (this.#marks[place] === text) return undefined;
    this.#places.set(name, place);
    this.#marks[place] = text;
    return place;
  }

  /** The file's text before the first mark; the time has the same length until the year 10000. */
  #head(now: number): string {
    const exportedAt = new Date(now).toISOString();
    const head = { format: "tezos-signer-watermarks", version: 1, storeId: this.#storeId, exportedAt, watermarks: [] };
    return ascii(JSON.stringify(head)).replace(/\]}$/, "");
  }

  #tell(what: string): void {
    if (!this.#isTold)
      this.#warn(`${this.#file?.path} ${what}: an older file in the store's place would not be noticed.`);
    this.#isTold = true;
  }
}

/** @throws StoreError `untrusted` where there is a file that cannot be read: it may say what nobody else knows */
function readText(store: string, file: WitnessFile): string | undefined {
  try {
    return file.read();
  } catch (error) {
    throw untrusted(store, `has a witness that cannot be read (${reasonOf(error)})`, error);
  }
}

function textOf({ chainId, address, kind }: RowKey, { level, round, digest, signature }: Mark): string {
  const publicKeyHash = address;
  return ascii(JSON.stringify({ chainId, publicKeyHash, kind, level, round, digest, signature }));
}

/** Writes JSON with a byte a character, whatever somebody has put into the store. */
function ascii(json: string): string {
  return json.replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Whether a row holds less than was seen, or something else at the same position. */
function contradicts(is: Mark, seen: Mark): boolean {
  if (isOlder(is, seen)) return true;
  if (is.level !== seen.level || is.round !== seen.round || is.digest === undefined) return false;
  return is.digest !== seen.digest || (seen.signature !== undefined && is.signature !== seen.signature);
}

function told(mark: Mark): string {
  const { digest } = mark;
  return `${positionInWords(mark)}${digest === undefined ? "" : ` (${digest.slice(0, 16)}…)`}`;
}

function restored(witness: string): string {
  return (
    "Put the newest file back, then restart. Where it is lost, or another one was meant, go on as docs/recover.md says " +
    `under "A backup was restored"; ${witness} has the marks that were seen.`
  );
}

function parse(text: string): Testimony | undefined {
  try {
    const { storeId, exportedAt, watermarks } = JSON.parse(text) as Partial<Record<keyof Testimony, unknown>>;
    const isWhole = Array.isArray(watermarks) && watermarks.every(isSeen);
    if (typeof storeId !== "string" || typeof exportedAt !== "string" || !isWhole) return undefined;
    return Number.isNaN(Date.parse(exportedAt)) ? undefined : { storeId, exportedAt, watermarks };
  } catch {
    return undefined;
  }
}

function isSeen(value: Partial<Record<keyof Seen, unknown>> | null): value is Seen {
  const { chainId, publicKeyHash, kind, level, round, digest = "", signature = "" } = value ?? {};
  const areTexts = [chainId, publicKeyHash, kind, digest, signature].every((text) => typeof text === "string");
  return areTexts && isConsensusKind(String(kind)) && Number.isInteger(level) && Number.isInteger(round);
}
