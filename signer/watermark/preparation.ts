import { SignerError } from "../errors.ts";
import { Repetition } from "../repetition.ts";
import { type RowKey, StoreError } from "./stores/store.ts";
import type { TrustedStore } from "./trusted-store.ts";

const ATTEMPT_TIMEOUT = 10_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
const PAUSE_WHEN_READY = 10_000;

export interface PreparationOptions {
  readonly store: TrustedStore;
  /** The rows that the keys and their policies call for now. */
  readonly rows: () => readonly RowKey[];
  /** Called when the reason changes; undefined means ready. */
  readonly onChange: (reason: string | undefined) => void;
}

/**
 * Gets the store ready in the background and says why it is not. It never ends: a new role assignment takes minutes, an
 * operator may mend what is missing, and keys and policies come that need rows. Rows that are known cost no call.
 */
export class Preparation {
  readonly #options: PreparationOptions;
  readonly #repetition = new Repetition();
  #reason: string | undefined = "The watermark store has not answered yet.";
  /** Until the next attempt after one that failed, in milliseconds. */
  #pause = FIRST_PAUSE;

  constructor(options: PreparationOptions) {
    this.#options = options;
  }

  /** Why the store is not ready, or undefined where it is. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /**
   * Tries once, then goes on in the background.
   * @throws StoreError `in-use` where another process holds the store: waiting would not help
   */
  async start(): Promise<void> {
    await this.#attempt((error) => {
      if (error.cause instanceof StoreError && error.cause.fault === "in-use") throw error.cause;
    });
    this.#repetition.start(
      "pause",
      () => this.#attempt(),
      () => this.#nextPause(),
    );
  }

  /** Looks at the store now, for keys that have come since; `reason` then tells what was found. */
  async check(): Promise<void> {
    await this.#attempt();
  }

  /** Ends the attempt that is under way, and makes no more. */
  async stop(): Promise<void> {
    await this.#repetition.stop();
  }

  #nextPause(): number {
    if (this.#reason === undefined) this.#pause = FIRST_PAUSE;
    const pause = this.#reason === undefined ? PAUSE_WHEN_READY : this.#pause;
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    return pause;
  }

  async #attempt(onFailure: (error: SignerError) => void = () => undefined): Promise<void> {
    const { store, rows, onChange } = this.#options;
    let reason: string | undefined;
    try {
      await store.prepare(rows(), AbortSignal.any([this.#repetition.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT)]));
    } catch (error) {
      if (!(error instanceof SignerError)) throw error;
      if (this.#repetition.signal.aborted) return;
      onFailure(error);
      reason = error.message;
    }
    if (reason !== this.#reason) onChange(reason);
    this.#reason = reason;
  }
}
