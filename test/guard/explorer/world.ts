import type { Imported, Request } from "./messages.ts";
import type { Cost, Step, View } from "./views.ts";

export interface ExplorerRequest extends Request {
  readonly signer: 0 | 1;
}

export interface Scenario {
  readonly name: string;
  readonly requests: readonly ExplorerRequest[];
  /** The rows at the beginning: at level 0, or none at all. */
  readonly begins: "rows" | "empty" | "no-store";
  /** What an operator may import at any time, once. */
  readonly imported?: Imported;
}

export type Bounds = Readonly<Record<Cost, number>>;

/**
 * A client asks nothing yet, or nothing now, after a 502 or a crash; waits for an attempt; or asks no more.
 * `late`: the store's row had moved on when it asked.
 */
export type Client = "idle" | "over" | { readonly attempt: string; readonly late?: true };

/** Everything at one moment; most of it as numbers of interned values. */
export class World {
  readonly store: number;
  readonly first: View;
  readonly second: View;
  /** Writes that nobody hears of any more and that may still be done. */
  readonly loose: number;
  readonly clients: number;
  readonly released: number;
  readonly spent: Bounds;
  /** The world before, and the step that led here. */
  readonly before: World | undefined;
  readonly step: Step | string;

  constructor(
    store: number,
    first: View,
    second: View,
    loose: number,
    clients: number,
    released: number,
    spent: Bounds,
    before: World | undefined,
    step: Step | string,
  ) {
    this.store = store;
    this.first = first;
    this.second = second;
    this.loose = loose;
    this.clients = clients;
    this.released = released;
    this.spent = spent;
    this.before = before;
    this.step = step;
  }

  view(signer: 0 | 1): View {
    return signer === 0 ? this.first : this.second;
  }
}

/** Thrown for something that the real code has not been told yet: `learn`, then ask again. No error, so it has no stack. */
export class Unknown {
  readonly learn: () => Promise<unknown>;

  constructor(learn: () => Promise<unknown>) {
    this.learn = learn;
  }
}

/** What a step changes. */
export interface Change {
  readonly store?: number;
  readonly view?: View;
  readonly loose?: number;
  readonly clients?: number;
  readonly released?: number;
  readonly spent?: Bounds;
}

export const NOTHING: Bounds = { faults: 0, crashes: 0, deadlines: 0, imports: 0 };
