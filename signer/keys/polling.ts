import { setTimeout as sleep } from "node:timers/promises";

/** Pauses between looks while they fail, in milliseconds; the last one is kept. */
const FAILURE_PAUSES = [1_000, 2_000, 5_000, 15_000];

export interface PollingOptions {
  /** Looks once. @returns whether everything was seen; never rejects */
  readonly look: () => Promise<boolean>;
  /** Between two looks, in milliseconds. */
  readonly interval: number;
  /** Between two looks that something asked for, in milliseconds. */
  readonly refresh: number;
}

/** Looks at a backend's keys again and again: at an interval, sooner while that fails, and when somebody asks for it. */
export class Polling {
  readonly #options: PollingOptions;
  readonly #stopped = new AbortController();
  #failures = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(options: PollingOptions) {
    this.#options = options;
  }

  /** Ends with `stop`: a look that is under way may end by it. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Begins, with a look at once. */
  start(): void {
    void this.#poll();
  }

  /** Looks now, unless that was done a moment ago. */
  refresh(): void {
    if (performance.now() >= this.#lookedAt + this.#options.refresh) void this.#look();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #poll(): Promise<void> {
    const { interval } = this.#options;
    while (!this.#stopped.signal.aborted) {
      await this.#look();
      const failing = FAILURE_PAUSES[Math.min(this.#failures, FAILURE_PAUSES.length) - 1];
      await pause(Math.min(failing ?? interval, interval), this.#stopped.signal);
    }
  }

  #look(): Promise<void> {
    this.#lookedAt = performance.now();
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    this.#failures = (await this.#options.look()) ? 0 : this.#failures + 1;
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
