import { Interned } from "./interned.ts";
import type { Operation, Outcome, Request, StoreOperation } from "./messages.ts";
import { isLost, perform, type Released, type Store } from "./outside.ts";
import type { Client, World } from "./world.ts";

interface Performed {
  /** The store's number afterwards. */
  readonly store: number;
  readonly outcome: Outcome;
  /** The outcome as text. */
  readonly text: string;
}

/** What the numbers of a world stand for. */
export class Values {
  readonly stores = new Interned<Store>();
  /** Writes that nobody hears of any more; 0 stands for none. */
  readonly loose = new Interned<readonly Operation[]>();
  readonly clients = new Interned<readonly Client[]>();
  readonly released = new Interned<Released>();
  readonly #performed = new Map<StoreOperation, Map<number, Performed>>();
  readonly #loosened = new Map<Operation, Map<number, number>>();
  readonly #over = new Map<number, number>();

  constructor() {
    this.loose.of([]);
  }

  /**
   * Does an operation.
   * @throws BrokenPromise where a row goes back
   */
  perform(store: number, operation: StoreOperation): Performed {
    const byStore = memoOf(this.#performed, operation);
    let performed = byStore.get(store);
    if (performed === undefined) {
      const { store: after, outcome } = perform(this.stores.value(store), operation);
      performed = { store: this.stores.of(after), outcome, text: JSON.stringify(outcome) };
      byStore.set(store, performed);
    }
    return performed;
  }

  /** The loose writes with one more. */
  loosen(loose: number, operation: Operation): number {
    const byLoose = memoOf(this.#loosened, operation);
    let more = byLoose.get(loose);
    if (more === undefined) {
      const texts = [...this.loose.value(loose), operation].map((each) => JSON.stringify(each));
      // Two equal writes are one: whichever is done first, the other one does nothing.
      more = this.loose.of([...new Set(texts)].sort().map((text) => JSON.parse(text)));
      byLoose.set(loose, more);
    }
    return more;
  }

  /** The clients, of whom one asks no more. */
  over(clients: number, index: number): number {
    const key = clients * 16 + index;
    let over = this.#over.get(key);
    if (over === undefined) {
      over = this.clients.of(this.clients.value(clients).with(index, "over"));
      this.#over.set(key, over);
    }
    return over;
  }

  /** The loose writes that can still do something. */
  notLost(loose: number, store: number): number {
    if (loose === 0) return loose;
    const now = this.stores.value(store);
    const all = this.loose.value(loose);
    if (!all.some((operation) => isLost(now, operation))) return loose;
    return this.loose.of(all.filter((operation) => !isLost(now, operation)));
  }

  /** A name that no signature has that is anywhere in the world; only those of blocks are told apart. */
  signature({ store, loose, released, first, second }: World, attempt: string, { kind, bytes }: Request): string {
    if (kind !== "block") return `sof${bytes}`;
    const texts = [this.stores.text(store), this.loose.text(loose), this.released.text(released)];
    for (let n = 0; ; n += 1) {
      const name = `s${attempt}.${n}of${bytes}`;
      const isHeld = [first, second].some(({ state, text }) => state.signatures.has(name) || text.includes(name));
      if (!isHeld && !texts.some((text) => text.includes(name))) return name;
    }
  }
}

function memoOf<K, V>(memos: Map<K, Map<number, V>>, of: K): Map<number, V> {
  let memo = memos.get(of);
  if (memo === undefined) {
    memo = new Map();
    memos.set(of, memo);
  }
  return memo;
}
