import { chownSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { reasonOf } from "../../errors.ts";
import { isConsensusKind } from "../../tezos/payload/consensus-kind.ts";
import type { Mark } from "../decision.ts";
import { isOlder } from "../row-memory.ts";
import { untrusted, WITNESS } from "./sqlite-file.ts";
import { type Row, type RowKey, rowName } from "./store.ts";

/** What a store holds. */
export interface Contents {
  readonly id: string;
  readonly rows: readonly { readonly key: RowKey; readonly row: Row }[];
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
 * signer ran is noticed. It follows the store and is never waited for: it is written after the answer, and not synced.
 */
export class Witness {
  readonly #warn: (message: string) => void;
  #store = "";
  #written = "";
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
    this.#store = path;
    const testimony = this.#read();
    if (testimony === undefined) return 0;
    const older = (what: string) => untrusted(path, `is not what it was: ${what}`, undefined, restored(this.#path));
    if (testimony.storeId !== id) throw older(`its id was ${testimony.storeId} and is ${id}`);
    const held = new Map(rows.map(({ key, row }) => [rowName(key), row]));
    for (const seen of testimony.watermarks) {
      const name = rowName({ ...seen, address: seen.publicKeyHash });
      const is = held.get(name);
      if (is !== undefined && !contradicts(is, seen)) continue;
      throw older(`the ${name} was at ${told(seen)} and is ${is === undefined ? "gone" : `at ${told(is)}`}`);
    }
    this.#written = JSON.stringify(testimony.watermarks);
    return Date.parse(testimony.exportedAt);
  }

  get #path(): string {
    return this.#store + WITNESS;
  }

  /** Writes down what the store holds now. @param now milliseconds since 1970 */
  remember({ id, rows }: Contents, now: number): void {
    const watermarks = rows.map(({ key: { chainId, address, kind }, row: { level, round, digest, signature } }) => {
      return { chainId, publicKeyHash: address, kind, level, round, digest, signature };
    });
    const text = JSON.stringify(watermarks);
    if (text === this.#written) return;
    const head = {
      format: "tezos-signer-watermarks",
      version: 1,
      storeId: id,
      exportedAt: new Date(now).toISOString(),
    };
    try {
      this.#replace(`${JSON.stringify({ ...head, watermarks })}\n`);
      this.#written = text;
      this.#isTold = false;
    } catch (error) {
      this.#tell(`cannot be written (${reasonOf(error)})`);
    }
  }

  /** The file's name has the old content or the new, whenever this process ends. */
  #replace(text: string): void {
    const draft = `${this.#path}.new`;
    rmSync(draft, { force: true });
    writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
    // Whoever owns the store must be able to read this: root may have opened it, to mend something.
    const owner = statSync(this.#store, { throwIfNoEntry: false });
    if (process.getuid?.() === 0 && owner !== undefined) chownSync(draft, owner.uid, owner.gid);
    renameSync(draft, this.#path);
  }

  #read(): Testimony | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw untrusted(this.#store, `has a witness that cannot be read (${reasonOf(error)})`, error);
    }
    const testimony = parse(text);
    // Not synced, so a power cut may leave an empty file.
    if (testimony === undefined) this.#tell("is damaged, and is written anew");
    return testimony;
  }

  #tell(what: string): void {
    if (!this.#isTold) this.#warn(`${this.#path} ${what}: an older file in the store's place would not be noticed.`);
    this.#isTold = true;
  }
}

/** Whether a row holds less than was seen, or something else at the same position. */
function contradicts(is: Mark, seen: Mark): boolean {
  if (isOlder(is, seen)) return true;
  if (is.level !== seen.level || is.round !== seen.round || is.digest === undefined) return false;
  return is.digest !== seen.digest || (seen.signature !== undefined && is.signature !== seen.signature);
}

function told({ level, round, digest }: Mark): string {
  return `level ${level} round ${round}${digest === undefined ? "" : ` (${digest.slice(0, 16)}…)`}`;
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
