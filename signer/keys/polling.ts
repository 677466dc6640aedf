import { Repetition } from "../repetition.ts";

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
  readonly #repetition = new Repetition();
  #failures = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(options: PollingOptions) {
    this.#options = options;
  }

  /** Ends with `stop`: a look that is under way may end by it. */
  get signal(): AbortSignal {
    return this.#repetition.signal;
  }

  /** Begins, with a look at once. */
  start(): void {
    this.#repetition.start(
      "work",
      () => this.#look(),
      () => this.#pause(),
    );
  }

  /** Looks now, unless that was done a moment ago. */
  refresh(): void {
    if (performance.now() >= this.#lookedAt + this.#options.refresh) void this.#look();
  }

  /** Looks no more; a look that is under way is not waited for. */
  stop(): void {
    void this.#repetition.stop();
  }

  #pause(): number {
    const { interval } = this.#options;
    const failing = FAILURE_PAUSES[Math.min(this.#failures, FAILURE_PAUSES.length) - 1];
    return Math.min(failing ?? interval, interval);
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
