import { messageOf } from "../../errors.ts";
import { type Row, type RowKey, StoreError, type Versioned, type WatermarkStore } from "./store.ts";

/** Statuses of a service that cannot be asked so much, or so often. */
const THROTTLED: readonly unknown[] = [429, 503];

/** A store as it is, and what became of the calls: which causes they failed by, and when it last answered. */
export class WatchedStore implements WatermarkStore {
  readonly #store: WatermarkStore;
  readonly #faults = new Map<string, number>();
  #answeredAt: number | undefined;
  #outage: string | undefined;

  constructor(store: WatermarkStore) {
    this.#store = store;
  }

  /** How many calls have failed, by cause. */
  get faults(): ReadonlyMap<string, number> {
    return this.#faults;
  }

  /** When a call was last answered, in milliseconds since 1970; undefined before that. */
  get answeredAt(): number | undefined {
    return this.#answeredAt;
  }

  /** Why the last call came to nothing; undefined once one was answered. */
  get outage(): string | undefined {
    return this.#outage;
  }

  get isShared(): boolean {
    return this.#store.isShared;
  }

  identity(signal: AbortSignal): Promise<string | undefined> {
    return this.#watch(this.#store.identity(signal));
  }

  establish(id: string, signal: AbortSignal): Promise<void> {
    return this.#watch(this.#store.establish(id, signal));
  }

  now(signal: AbortSignal): Promise<number> {
    return this.#watch(this.#store.now(signal));
  }

  read(key: RowKey, signal: AbortSignal): Promise<Versioned | undefined> {
    return this.#watch(this.#store.read(key, signal));
  }

  insert(key: RowKey, row: Row, signal: AbortSignal): Promise<string> {
    return this.#watch(this.#store.insert(key, row, signal));
  }

  replace(key: RowKey, row: Row, version: string, signal: AbortSignal): Promise<string> {
    return this.#watch(this.#store.replace(key, row, version, signal));
  }

  probe(): void {
    this.#store.probe?.();
  }

  async proveWritable(signal: AbortSignal): Promise<void> {
    const ask = async () => void (await (this.#store.proveWritable?.(signal) ?? this.#store.identity(signal)));
    await this.#watch(ask());
  }

  list(signal: AbortSignal): Promise<{ readonly key: RowKey; readonly row: Row }[]> {
    return this.#watch(this.#store.list(signal));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #watch<T>(call: Promise<T>): Promise<T> {
    try {
      const answer = await call;
      this.#answered();
      return answer;
    } catch (error) {
      const cause = causeOf(error);
      this.#faults.set(cause, (this.#faults.get(cause) ?? 0) + 1);
      // Another writer was first: that is an answer.
      if (cause === "conflict") this.#answered();
      else this.#outage = messageOf(error);
      throw error;
    }
  }

  #answered(): void {
    this.#answeredAt = Date.now();
    this.#outage = undefined;
  }
}

/** Names the cause of a failed call: docs/reference/metrics.md lists these. */
function causeOf(error: unknown): string {
  if (!(error instanceof StoreError)) return "defect";
  if (error.fault !== "unavailable") return error.fault;
  const { statusCode: status, name } = (error.cause ?? {}) as { readonly statusCode?: number; readonly name?: string };
  if (status === 401 || status === 403) return "permission";
  if (THROTTLED.includes(status)) return "throttled";
  if (status !== undefined) return "service";
  return name === "AbortError" || name === "TimeoutError" ? "timeout" : "connection";
}
