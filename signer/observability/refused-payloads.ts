import type { Logger } from "pino";
import { settledWithin } from "../deadline.ts";
import { reasonOf } from "../errors.ts";
import { visibleJson } from "../invisible-characters.ts";
import { clientOf } from "../network/address-range.ts";
import { readLines, writeLines } from "./private-lines.ts";

/** A request that was not signed, with its bytes. Nothing in it proves who asked, so nobody can ask with it. */
export interface RefusedPayload {
  readonly client: string;
  /** Public key hash that was asked for. */
  readonly key: string;
  readonly code: string;
  /** What the client was told; of bytes that cannot be read, where and why. */
  readonly message: string;
  /** Blake2b-256 of the bytes, hex. */
  readonly digest: string;
  /** The request as it was read; undefined where it could not be. */
  readonly request: object | undefined;
  /** Magic byte first; at most 32 KiB, as no more is read of a client. */
  readonly payload: Uint8Array;
}

/** An entry of the file, for what tells two apart; the rest is in its line. */
interface Entry {
  readonly at: string;
  readonly since: string;
  readonly count: number;
  readonly client: string;
  readonly key: string;
  readonly code: string;
  readonly digest: string;
}

/** An entry and its line, which is made when it is written: a request that is pushed out before costs nothing. */
interface Kept {
  readonly entry: Entry;
  readonly line: () => string;
}

/**
 * In milliseconds: between two writes, so that a client that floods costs no more of the disk; and how long the end waits for
 * the last one.
 */
const TIMES = { pause: 5_000, patience: 2_000 } as const;
/** Of a request as it was read, in characters: Michelson takes many times its bytes. What is longer is in the bytes alone. */
const MOST_DECODED = 64 * 1024;
/** Of what the client was told, in characters. */
const MOST_MESSAGE = 1_000;

/**
 * Keeps the last refused requests in a file for its owner alone: one line of JSON each, the newest last. It is written beside
 * the requests, whole, and what cannot be written is told in the log and hurts nothing else. Of one client it keeps half at
 * most; equal ones are one.
 */
export class RefusedPayloads {
  readonly #path: string;
  readonly #most: number;
  readonly #logger: Logger;
  readonly #times: { readonly pause: number; readonly patience: number };
  /** The oldest first. */
  #entries: Kept[] = [];
  /** What the file held before this process; undefined until it is read. */
  #isRead = false;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void>;
  #problem: string | undefined;

  /** @param times others than the usual ones, for tests */
  constructor(
    { file, most }: { readonly file: string; readonly most: number },
    logger: Logger,
    times: { readonly pause: number; readonly patience: number } = TIMES,
  ) {
    this.#path = file;
    this.#most = most;
    this.#logger = logger;
    this.#times = times;
    // At once, so that a path that is wrong is told at the start.
    this.#writing = this.#write();
  }

  /** Notes a request that was refused; the oldest one goes. */
  note(refused: RefusedPayload): void {
    const { client, key, code, message, digest, request, payload } = refused;
    const at = new Date().toISOString();
    const same = this.#entries.findIndex(
      ({ entry }) => entry.digest === digest && entry.client === client && entry.key === key && entry.code === code,
    );
    const [earlier] = same < 0 ? [] : this.#entries.splice(same, 1);
    const entry = {
      at,
      since: earlier?.entry.since ?? at,
      count: (earlier?.entry.count ?? 0) + 1,
      client,
      key,
      code,
      digest,
    };
    let made: string | undefined;
    const make = () => {
      const told = jsonOf({ ...entry, message: message.slice(0, MOST_MESSAGE) }).slice(0, -1);
      const bytes = Buffer.from(payload).toString("hex");
      return `${told},"decoded":${decoded(request)},"bytes":"${bytes}"}\n`;
    };
    const line = () => {
      made ??= make();
      return made;
    };
    this.#entries.push({ entry, line });
    this.#bound();
    this.#timer ??= setTimeout(() => this.#writeNext(), this.#times.pause).unref();
  }

  /** Writes what is not written yet; waits some seconds at most. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) this.#writeNext();
    await settledWithin(this.#writing, this.#times.patience);
  }

  #writeNext(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    try {
      if (!this.#isRead) await this.#read();
      await writeLines(this.#path, linesOf([...this.#entries]));
      this.#problem = undefined;
    } catch (error) {
      const problem = reasonOf(error);
      if (problem === this.#problem) return;
      this.#problem = problem;
      this.#logger.warn({ file: this.#path }, `Refused requests cannot be kept: ${problem}. Signing goes on.`);
    }
  }

  /** @throws Error where the file holds something else */
  async #read(): Promise<void> {
    const earlier = (await readLines(this.#path)).map((line) => ({ entry: entryOf(line), line: () => line }));
    this.#entries = [...earlier, ...this.#entries];
    this.#isRead = true;
    this.#bound();
  }

  #bound(): void {
    const newest = this.#entries.at(-1);
    if (newest === undefined) return;
    const isOfClient = (client: string) => clientOf(client) === clientOf(newest.entry.client);
    while (this.#entries.filter(({ entry }) => isOfClient(entry.client)).length > Math.ceil(this.#most / 2)) {
      this.#entries.splice(
        this.#entries.findIndex(({ entry }) => isOfClient(entry.client)),
        1,
      );
    }
    this.#entries.splice(0, Math.max(0, this.#entries.length - this.#most));
  }
}

function* linesOf(entries: readonly Kept[]): Iterable<string> {
  for (const { line } of entries) yield line();
}

/** The request as it was read, as JSON; null where it was not. */
function decoded(request: object | undefined): string {
  if (request === undefined) return "null";
  const text = jsonOf(request);
  return text.length > MOST_DECODED ? '"too long: see bytes"' : text;
}

/** What has no JSON of its own, amounts and bytes, becomes decimal and hex. */
function jsonOf(value: object): string {
  const json = JSON.stringify(value, (_, part) => {
    if (typeof part === "bigint") return `${part}`;
    return part instanceof Uint8Array ? Buffer.from(part).toString("hex") : part;
  });
  return visibleJson(json);
}

/** @throws Error where a line is none of ours */
function entryOf(line: string): Entry {
  const value = asObject(line);
  const { at, since, count, client, key, code, digest } = value;
  const texts = { at, since, client, key, code, digest, bytes: value.bytes };
  if (typeof count !== "number" || Object.values(texts).some((text) => typeof text !== "string")) {
    throw new Error("something else is in it, which is left alone");
  }
  return { at, since, count, client, key, code, digest } as Entry;
}

function asObject(line: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}
