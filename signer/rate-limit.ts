/** Monotonic clock in milliseconds. */
export type Clock = () => number;

/** Lets one line through in each interval and counts the others. */
export class RateLimit {
  readonly #interval: number;
  readonly #clock: Clock;
  #closedUntil = Number.NEGATIVE_INFINITY;
  #suppressed = 0;

  /** @param interval milliseconds */
  constructor(interval: number, clock: Clock = () => performance.now()) {
    this.#interval = interval;
    this.#clock = clock;
  }

  /** Whether the next line would pass. */
  get isOpen(): boolean {
    return this.#clock() >= this.#closedUntil;
  }

  /** How many lines were left out since the last one that passed. */
  get suppressed(): number {
    return this.#suppressed;
  }

  /**
   * Asks for one line.
   * @returns what the line says of those left out before it; undefined where it is left out itself
   */
  pass(): { readonly suppressed?: number } | undefined {
    if (!this.isOpen) {
      this.#suppressed += 1;
      return undefined;
    }
    const fields = this.#suppressed === 0 ? {} : { suppressed: this.#suppressed };
    this.#closedUntil = this.#clock() + this.#interval;
    this.#suppressed = 0;
    return fields;
  }
}
