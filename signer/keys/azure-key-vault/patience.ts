/** How many of the last answers count. */
const REMEMBERED = 100;
/** As long as fewer answers are known than this, the usual time is not known. */
const ENOUGH = 20;
/** Late is what takes longer than this many times what nine of ten answers take. */
const FACTOR = 2;
/** Bounds of it in milliseconds: the least leaves room for a busy computer, the most for a vote's two seconds. */
const SHORTEST = 100;
const LONGEST = 400;
/** Second questions a first question: Key Vault takes money for each, and a vault in trouble is not to get twice the load. */
const SHARE = 0.02;
/** Second questions that may be saved up, and are at the start, so that several in a row are possible. */
const MOST_SAVED = 5;
/** For how long a vault that throttles is asked no second question, in milliseconds. */
const THROTTLED = 10_000;

/**
 * How long an answer is waited for before the question is asked a second time, on another connection: a dead connection
 * then costs a fraction of a second and not a whole try. Five questions and one of fifty are asked twice at most, and none
 * while the vault throttles.
 */
export class Patience {
  readonly #clock: () => number;
  readonly #durations: number[] = [];
  #next = 0;
  #credit = MOST_SAVED;
  #throttledAt = Number.NEGATIVE_INFINITY;

  /** @param clock monotonic, milliseconds */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** How long to wait before the second question, in milliseconds. */
  get limit(): number {
    if (this.#durations.length < ENOUGH) return LONGEST;
    const usual = this.#durations.toSorted((a, b) => a - b)[Math.floor(this.#durations.length * 0.9)] ?? LONGEST;
    return Math.min(Math.max(usual * FACTOR, SHORTEST), LONGEST);
  }

  /** Notes a good answer. @param duration milliseconds from the first question */
  answered(duration: number): void {
    this.#durations[this.#next] = duration;
    this.#next = (this.#next + 1) % REMEMBERED;
    this.#credit = Math.min(this.#credit + SHARE, MOST_SAVED);
  }

  /** Notes that the vault asked to be left alone. */
  throttled(): void {
    this.#throttledAt = this.#clock();
  }

  /** Whether a second question may be asked now; if so, it counts. */
  take(): boolean {
    if (this.#credit < 1 || this.#clock() < this.#throttledAt + THROTTLED) return false;
    this.#credit -= 1;
    return true;
  }
}
