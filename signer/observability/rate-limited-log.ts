/** How often one kind of line may be written, in milliseconds. */
const INTERVAL = 1_000;

/**
 * Writes at most one line a second and says in the next one how many were left out: whoever floods the signer with
 * bad requests must not fill its disk.
 */
export class SparseLog {
  readonly #write: (fields: object, message: string) => void;
  readonly #now: () => number;
  #quietUntil = Number.NEGATIVE_INFINITY;
  #suppressed = 0;

  /**
   * @param write a method of the logger, bound to its level
   * @param now monotonic clock in milliseconds
   */
  constructor(write: (fields: object, message: string) => void, now: () => number = () => performance.now()) {
    this.#write = write;
    this.#now = now;
  }

  write(fields: object, message: string): void {
    const now = this.#now();
    if (now < this.#quietUntil) {
      this.#suppressed += 1;
      return;
    }
    this.#write(this.#suppressed === 0 ? fields : { ...fields, suppressed: this.#suppressed }, message);
    this.#quietUntil = now + INTERVAL;
    this.#suppressed = 0;
  }
}
