import { within } from "../deadline.ts";
import { messageOf } from "../errors.ts";
import type { Row, RowKey, WatermarkStore } from "./stores/store.ts";

/** What a store holds, as it was last seen. */
export interface StoredMarks {
  readonly rows: readonly { readonly key: RowKey; readonly row: Row }[];
  /** When it was seen, in milliseconds since 1970; undefined where it never was. */
  readonly readAt: number | undefined;
  /** Why that is not newer; undefined where it is as new as it can be. */
  readonly problem: string | undefined;
}

/** How long one look may take, in milliseconds. Nobody waits for it. */
const PATIENCE = 10_000;
/** Between two looks, in milliseconds, however often somebody asks. */
const PAUSE = 5_000;

/** Looks into a store for those who only want to see: seldom, in the background, and never in the way of a signature. */
export class StoreView {
  readonly #store: WatermarkStore;
  readonly #clock: () => number;
  #seen: StoredMarks = { rows: [], readAt: undefined, problem: "The watermark store has not been read yet." };
  #isLooking = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param clock monotonic, milliseconds */
  constructor(store: WatermarkStore, clock: () => number = () => performance.now()) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Tells at once what was read last, and when; where the store did not answer since, why. What is some seconds old is read
   * anew afterwards, for the next one who looks.
   */
  look(): StoredMarks {
    if (!this.#isLooking && this.#clock() - this.#lookedAt >= PAUSE) {
      this.#lookedAt = this.#clock();
      this.#isLooking = true;
      // A store on this computer is read in this thread: not before the one who looks has the answer.
      setImmediate(() => void this.#read());
    }
    return this.#seen;
  }

  async #read(): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE);
    const late = () => new Error(`It did not answer within ${PATIENCE} ms.`);
    try {
      const rows = await within(this.#store.list(deadline), deadline, late);
      this.#seen = { rows, readAt: Date.now(), problem: undefined };
    } catch (error) {
      this.#seen = { ...this.#seen, problem: `The watermark store cannot be read now. ${messageOf(error)}` };
    }
    this.#isLooking = false;
  }
}
