import { monitorEventLoopDelay } from "node:perf_hooks";

type Measured = ReturnType<typeof monitorEventLoopDelay>;

/** Between two looks at the clock, in milliseconds: what a delay is measured from. */
const RESOLUTION = 20;
/** What is measured is forgotten when it is this old, in milliseconds: longer than from one scrape to the next. */
const WINDOW = 60_000;

/** How late the event loop comes to what is due, over the last one or two minutes: a signer that computes answers nobody. */
export class EventLoopLag {
  readonly #clock: () => number;
  /** The second is that of the last minute, while the first one fills. */
  #filling: Measured;
  #full: Measured | undefined;
  #since: number;

  /** @param clock monotonic, milliseconds */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#filling = begin();
    this.#since = clock();
  }

  /**
   * Returns the delay that this share of the looks was below.
   * @param percent above 0, to 100
   * @returns seconds
   */
  seconds(percent: number): number {
    this.#turn();
    return Math.max(0, ...[this.#filling, this.#full].map((measured) => delayOf(measured, percent)));
  }

  stop(): void {
    this.#filling.disable();
  }

  #turn(): void {
    if (this.#clock() - this.#since < WINDOW) return;
    this.#since = this.#clock();
    this.#filling.disable();
    this.#full = this.#filling;
    this.#filling = begin();
  }
}

function begin(): Measured {
  const measured = monitorEventLoopDelay({ resolution: RESOLUTION });
  measured.enable();
  return measured;
}

/** Node.js measures from one look to the next, so the resolution is in it; and before the first look it has nothing. */
function delayOf(measured: Measured | undefined, percent: number): number {
  if (measured === undefined || measured.count === 0) return 0;
  return measured.percentile(percent) / 1e9 - RESOLUTION / 1_000;
}
