import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { messageOf } from "../../signer/errors.ts";
import type { Sha256 } from "./disk.ts";
import { syncFolder } from "./disk.ts";

/** A release as it is told to people. */
export interface Named {
  readonly version: string;
  readonly sha256: Sha256;
}

/** What the updater knows, and shows: the signer's /status reads it (signer/installation/own-release.ts). */
export interface State {
  /** What userData names. */
  readonly wanted: Named | null;
  /** What is in use. */
  readonly running: Named | null;
  /** What the updater does: a word or two. */
  readonly step: "done" | "fetching" | "trying" | "watching" | "waiting" | "refused";
  /** Why it cannot go on now; null where nothing is in the way. */
  readonly problem: string | null;
  /** The release that was not taken, or taken back. */
  readonly refused: (Named & { readonly reason: string; readonly at: string; readonly settings: string }) | null;
  /** A release in use that has not proven itself yet, and the way back from it. */
  readonly candidate: (Named & { readonly before: Named; readonly settings: string }) | null;
  /** Tries that may have failed for want of memory or time alone. */
  readonly tries: { readonly sha256: Sha256; readonly settings: string; readonly count: number } | null;
  /** Whose machine files are in force, and with what the stack says about the machine. */
  readonly applied: { readonly sha256: Sha256; readonly parameters: string } | null;
  readonly at: string;
}

const EMPTY: State = {
  wanted: null,
  running: null,
  step: "done",
  problem: null,
  refused: null,
  candidate: null,
  tries: null,
  applied: null,
  at: new Date(0).toISOString(),
};

const id = { sha256: z.string().regex(/^[0-9a-f]{64}$/), settings: z.string() };
const named = z.looseObject({ version: z.string(), sha256: id.sha256 });

/** What is read back of each field; one that is missing or of another form is as in EMPTY. */
const FORM = z.looseObject({
  wanted: named.nullable().catch(null),
  running: named.nullable().catch(null),
  step: z.enum(["done", "fetching", "trying", "watching", "waiting", "refused"]).catch(EMPTY.step),
  problem: z.string().nullable().catch(null),
  refused: named.extend({ reason: z.string(), at: z.string(), settings: id.settings }).nullable().catch(null),
  candidate: named.extend({ before: named, settings: id.settings }).nullable().catch(null),
  tries: z
    .looseObject({ ...id, count: z.number() })
    .nullable()
    .catch(EMPTY.tries),
  applied: z.looseObject({ sha256: id.sha256, parameters: z.string() }).nullable().catch(null),
  at: z.string().catch(EMPTY.at),
});

/**
 * The updater's memory, a file of JSON that everybody may read. It is written whole or not at all. A damaged or missing
 * one is an empty one, and so is a field of it: what is in use is told by the link `current` alone.
 */
export class StateFile {
  readonly #path: string;
  readonly #say: (text: string) => void;
  #state: State;

  /** @param say told why what was to be written is not */
  constructor(path: string, say: (text: string) => void = () => undefined) {
    this.#path = path;
    this.#say = say;
    this.#state = EMPTY;
    try {
      this.#state = FORM.parse(JSON.parse(readFileSync(path, "utf8")));
    } catch {
      // As said above.
    }
  }

  get now(): State {
    return this.#state;
  }

  /**
   * Notes changes of which the next run finds out by itself, or which are shown and no more. A disk that takes nothing must
   * stop no way back.
   */
  tell(changes: Partial<State>): void {
    try {
      this.note(changes);
    } catch (error) {
      this.#say(`cannot write ${this.#path}: ${messageOf(error)}`);
    }
  }

  /** Notes changes, durably when this returns; writes nothing where nothing is new. */
  note(changes: Partial<State>): void {
    const next = { ...this.#state, ...changes, at: this.#state.at };
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return;
    this.#state = { ...next, at: new Date().toISOString() };
    const draft = `${this.#path}.new`;
    const descriptor = openSync(draft, "w", 0o644);
    try {
      writeFileSync(descriptor, `${JSON.stringify(this.#state)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, this.#path);
    syncFolder(dirname(this.#path));
  }
}
