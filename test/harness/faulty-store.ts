import { setTimeout as sleep } from "node:timers/promises";
import {
  type Row,
  type RowKey,
  StoreError,
  type Versioned,
  type WatermarkStore,
} from "../../signer/watermark/stores/store.ts";

/** What happens to one call of a store. */
export type StoreFaultScript =
  /** Refused as another writer's would be, and not done. */
  | "conflict"
  /** Not done, and no answer. */
  | "unavailable"
  /** Done, and no answer. */
  | "applied-unavailable"
  /** Never answered, not done. */
  | "silence"
  | "untrusted"
  /** Done after so many milliseconds, or once something has happened. */
  | { readonly delay: number }
  | { readonly once: Promise<unknown> };

export type StoreCall = Exclude<keyof WatermarkStore, "close">;

/** A store whose calls go wrong as told: by a list, first come first served, or by `always`. */
export class FaultyStore implements WatermarkStore {
  readonly inner: WatermarkStore;
  /** The faults to come; `call` limits one to that method. Taken out as they are used. */
  readonly script: { readonly fault: StoreFaultScript; readonly call?: StoreCall }[] = [];
  /** Asked where the script has nothing for a call. */
  always: (call: StoreCall) => StoreFaultScript | undefined = () => undefined;
  /** Each call so far. */
  readonly calls: StoreCall[] = [];
  /** Each call that nothing went wrong with, once it is answered. */
  readonly answered: StoreCall[] = [];

  constructor(inner: WatermarkStore) {
    this.inner = inner;
  }

  get isShared(): boolean {
    return this.inner.isShared;
  }

  /** Adds faults for the next calls of a method. */
  next(call: StoreCall, ...faults: StoreFaultScript[]): this {
    for (const fault of faults) this.script.push({ call, fault });
    return this;
  }

  identity(signal: AbortSignal): Promise<string | undefined> {
    return this.#perform("identity", () => this.inner.identity(signal));
  }
  establish(id: string, signal: AbortSignal): Promise<void> {
    return this.#perform("establish", () => this.inner.establish(id, signal));
  }
  now(signal: AbortSignal): Promise<number> {
    return this.#perform("now", () => this.inner.now(signal));
  }
  read(key: RowKey, signal: AbortSignal): Promise<Versioned | undefined> {
    return this.#perform("read", () => this.inner.read(key, signal));
  }
  insert(key: RowKey, row: Row, signal: AbortSignal): Promise<string> {
    return this.#perform("insert", () => this.inner.insert(key, row, signal));
  }
  replace(key: RowKey, row: Row, version: string, signal: AbortSignal): Promise<string> {
    return this.#perform("replace", () => this.inner.replace(key, row, version, signal));
  }
  list(signal: AbortSignal): Promise<{ readonly key: RowKey; readonly row: Row }[]> {
    return this.#perform("list", () => this.inner.list(signal));
  }
  close(): Promise<void> {
    return this.inner.close();
  }

  async #perform<T>(call: StoreCall, work: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    const index = this.script.findIndex((entry) => entry.call === undefined || entry.call === call);
    const fault = index < 0 ? this.always(call) : this.script.splice(index, 1)[0]?.fault;
    if (typeof fault === "object") await ("once" in fault ? fault.once : sleep(fault.delay));
    if (fault === undefined || typeof fault === "object") {
      const answer = await work();
      this.answered.push(call);
      return answer;
    }
    switch (fault) {
      case "conflict":
        throw new StoreError("conflict", "Another writer was first (by script).");
      case "unavailable":
        throw new StoreError("unavailable", "No answer (by script).");
      case "applied-unavailable":
        await work();
        throw new StoreError("unavailable", "Done, and no answer (by script).");
      case "silence":
        return new Promise(() => undefined);
      case "untrusted":
        throw new StoreError("untrusted", "The store is damaged (by script).");
    }
  }
}
