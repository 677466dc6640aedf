import { Repetition } from "../repetition.ts";

/** Between two looks, in milliseconds. */
const PAUSE = 5_000;
/** Of a backend that answered within this, in milliseconds, nothing is asked: a baker's votes tell enough. */
const UNASKED_FOR = 10_000;
/** One answer of the store, in milliseconds. */
const PATIENCE = 3_000;
/** What answered so long ago, in milliseconds, counts as not seen: keys are looked at every ten seconds, for ten at most. */
const UNSEEN_AFTER = 30_000;

/** What is looked at. */
export interface PulseParts {
  readonly store: {
    /** @throws Error where it would take no write, or does not answer */
    proveWritable(signal: AbortSignal): Promise<void>;
  };
  readonly keyring: {
    /** When the keys' backend last answered, in milliseconds since 1970; absent where none is asked. */
    answeredAt?(): number | undefined;
    /** Looks at the keys in the background, at a limited rate. */
    refresh?(): void;
  };
  /** Called after each look. */
  readonly looked?: () => void;
  /** Another pause than the usual one, for tests, in milliseconds. */
  readonly pause?: number;
}

/**
 * Looks every few seconds whether the store would take a write, and at the keys' backend where no request has asked it
 * lately. So what readiness says is never older than some seconds, also of a signer that nobody asks; no request waits for it.
 */
export class Pulse {
  readonly #parts: PulseParts;
  readonly #repetition = new Repetition();

  constructor(parts: PulseParts) {
    this.#parts = parts;
    this.#repetition.start(
      "pause",
      () => this.#look(),
      () => parts.pause ?? PAUSE,
    );
  }

  /** Looks no more. */
  async stop(): Promise<void> {
    await this.#repetition.stop();
  }

  async #look(): Promise<void> {
    const { store, keyring, looked } = this.#parts;
    if (Date.now() - (keyring.answeredAt?.() ?? 0) >= UNASKED_FOR) keyring.refresh?.();
    const signal = AbortSignal.any([this.#repetition.signal, AbortSignal.timeout(PATIENCE)]);
    // What it failed by is told by the store itself, to whoever asks.
    await store.proveWritable(signal).catch(() => undefined);
    looked?.();
  }
}

/** Says that what was seen is too old to go by; undefined where it is not. @param answeredAt in milliseconds since 1970 */
export function unseenReason(what: string, answeredAt: number | undefined, now = Date.now()): string | undefined {
  if (answeredAt === undefined || now - answeredAt <= UNSEEN_AFTER) return undefined;
  return `${what} was last seen ${Math.round((now - answeredAt) / 1_000)} s ago.`;
}
