import { type Clock, RateLimit } from "../rate-limit.ts";

/** How often one kind of line may be written, in milliseconds. */
const INTERVAL = 1_000;

/** Writes at most one line a second: whoever floods the signer with bad requests must not fill its disk. */
export class RateLimitedLog {
  readonly #write: (fields: object, message: string) => void;
  readonly #limit: RateLimit;

  /** @param write a method of the logger, bound to its level */
  constructor(write: (fields: object, message: string) => void, clock?: Clock) {
    this.#write = write;
    this.#limit = new RateLimit(INTERVAL, clock);
  }

  /** Writes a line, or leaves it out; the next line says how many were left out as `suppressed`. */
  write(fields: object, message: string): void {
    const more = this.#limit.pass();
    if (more !== undefined) this.#write({ ...fields, ...more }, message);
  }
}
