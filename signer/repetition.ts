import { setTimeout as sleep } from "node:timers/promises";

/** Work in the background, done again and again until it is stopped. Its pauses keep no process alive. */
export class Repetition {
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** Ends with `stop`: work that is under way may end by it. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  /**
   * Begins.
   * @param first what it begins with
   * @param work does it once; where it throws, no more is done, and `stop` throws the same
   * @param pause says how long to wait until the next time, in milliseconds; asked each time
   */
  start(first: "work" | "pause", work: () => Promise<void>, pause: () => number): void {
    this.#running = this.#repeat(first, work, pause);
  }

  /** Ends the pause or waits for the work, and does no more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #repeat(first: "work" | "pause", work: () => Promise<void>, pause: () => number): Promise<void> {
    const { signal } = this;
    for (let pauses = first === "pause"; !signal.aborted; pauses = true) {
      if (pauses) await sleep(pause(), undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await work();
    }
  }
}
