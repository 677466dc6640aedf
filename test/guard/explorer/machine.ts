import { hash } from "node:crypto";
import type { Initialise } from "../../../signer/watermark/initialise.ts";
import { type Answer, BrokenPromise, type Call, type Event } from "./messages.ts";
import { Run, type SignerParts } from "./run.ts";

/** A state of a signer, as far as it can be told from outside. */
export interface SignerState {
  readonly id: number;
  /** The signatures that it holds anywhere. */
  readonly signatures: ReadonlySet<string>;
  readonly calls: readonly Call[];
  readonly attempts: readonly string[];
  readonly deadlines: readonly string[];
}

export interface Transition {
  readonly state: SignerState;
  readonly answers: readonly Answer[];
}

/** How the explorer names the signatures of blocks; see Search. */
const SIGNATURE = /s[0-9.]+of\w+/g;

/** How many states keep the real code as it stands there; the search goes on from the newest. */
const MOST_RUNS = 1_000;

/** A state, and how it was first met. */
interface Met {
  readonly state: SignerState;
  readonly history: readonly Event[];
  readonly next: Map<string, Transition>;
  /** The real code as it stands there, until it is told something or much is newer. */
  run?: Run | undefined;
}

/**
 * One signer as a machine. What it was told determines what it does, so each transition of each state is executed by the real
 * code once and then remembered. Two histories after which it holds the same are one state.
 */
export class SignerMachine {
  readonly #parts: SignerParts;
  readonly #initialise: Initialise;
  /** By the SHA-1 of all that a state holds. */
  readonly #met = new Map<string, Met>();
  readonly #byId: Met[] = [];
  readonly #withRun: Met[] = [];
  #executed = 0;

  constructor(parts: SignerParts, initialise: Initialise) {
    this.#parts = parts;
    this.#initialise = initialise;
  }

  /** How many transitions the real code has executed. */
  get executed(): number {
    return this.#executed;
  }

  async start(): Promise<SignerState> {
    return (await this.#state(new Run(this.#parts, this.#initialise), [])).state;
  }

  /** @throws BrokenPromise where the signer complains */
  async tell(state: SignerState, event: Event): Promise<Transition> {
    const from = this.#byId[state.id];
    if (from === undefined) throw new Error("no such state");
    const name = JSON.stringify(event);
    let transition = from.next.get(name);
    if (transition === undefined) {
      this.#executed += 1;
      const run = from.run ?? (await this.#replay(from.history));
      from.run = undefined;
      await run.tell([event]);
      const { complaint, answers } = run;
      if (complaint !== undefined) throw new BrokenPromise(complaint);
      transition = { state: (await this.#state(run, [...from.history, event])).state, answers };
      from.next.set(name, transition);
    }
    return transition;
  }

  async #replay(history: readonly Event[]): Promise<Run> {
    const run = new Run(this.#parts, this.#initialise);
    await run.tell(history);
    return run;
  }

  async #state(run: Run, history: readonly Event[]): Promise<Met> {
    const text = this.#parts.isReadable ? await run.describe() : JSON.stringify(history);
    const digest = hash("sha1", text, "base64");
    let met = this.#met.get(digest);
    if (met === undefined) {
      const { calls, attempts, deadlines } = run;
      const signatures = new Set(text.match(SIGNATURE));
      const state = { id: this.#byId.length, signatures, calls, attempts, deadlines };
      met = { state, history, next: new Map(), run };
      this.#met.set(digest, met);
      this.#byId.push(met);
      this.#withRun.push(met);
      if (this.#withRun.length > 2 * MOST_RUNS) {
        for (const old of this.#withRun.splice(0, MOST_RUNS)) old.run = undefined;
      }
    }
    return met;
  }
}
