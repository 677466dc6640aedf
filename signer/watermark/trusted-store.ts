import { atOnce } from "../at-once.ts";
import { within } from "../deadline.ts";
import { SignerError } from "../errors.ts";
import { floorRow, type Initialise, windowClosedReason } from "./initialise.ts";
import { late, pause } from "./outage.ts";
import { anotherStore, manyChains, missing } from "./refusals.ts";
import { RowMemory, type Seen } from "./row-memory.ts";
import {
  newStoreId,
  type Row,
  type RowKey,
  rowName,
  StoreError,
  type Versioned,
  type WatermarkStore,
} from "./stores/store.ts";

export interface TrustedStoreOptions {
  readonly store: WatermarkStore;
  /** The id that the store must have; undefined takes whatever id it has. */
  readonly storeId?: string | undefined;
  /** Whether and until when missing state may be made; undefined never. */
  readonly initialise?: Initialise | undefined;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Why a compare-and-set was not confirmed. Whoever reads the row again learns whether it was applied. */
export type Unconfirmed = "conflict" | "unanswered";

/** How many rows are looked for at once. */
const PARALLEL = 8;
/**
 * On so many chains a key may have rows. A chain's id is whatever a client says it is: where neither the policy nor the
 * window bounds the rows, this does. A row that a policy names is made in any case: what a client has filled must not keep
 * a baker from its chain.
 */
const MOST_CHAINS = 1_024;

/**
 * A store behind the checks that make its answers fit to sign on: it is the store that it should be, it has not gone back,
 * and what is missing is made only where `initialise` allows it. A failed check is a hard stop, which lasts until a restart;
 * an outage is retried.
 */
export class TrustedStore {
  readonly #options: TrustedStoreOptions;
  readonly #memory: RowMemory;
  readonly #stops = new Map<string, string>();
  /** Known once the store is the one that it should be. */
  #id: string | undefined;
  #isListed = false;
  /** The rows that policies name, by name. */
  #named: ReadonlySet<string> = new Set();
  /** Rows that are being made: they count, or many that are asked for at once would pass the bound. */
  readonly #making = new Map<object, RowKey>();

  constructor(options: TrustedStoreOptions) {
    this.#options = options;
    this.#memory = new RowMemory(options.store);
  }

  /** The store's id; undefined until the store has answered. */
  get id(): string | undefined {
    return this.#id;
  }

  /** Why nothing may be signed any more, by what was looked at: a row's name, or `store`. Any one stops all. */
  get stops(): ReadonlyMap<string, string> {
    return this.#stops;
  }

  /** The highest mark seen of each row, by row name. */
  get marks() {
    return this.#memory.marks();
  }

  /** Whether a key has marks on so many chains that it gets none on another one, unless a policy names it. */
  isFull(address: string): boolean {
    return this.#memory.chainsOf(address).size >= MOST_CHAINS;
  }

  /** Looks, without a wait, whether the store still stands where it stood; if not, that is a hard stop. */
  probe(): void {
    try {
      this.#options.store.probe?.();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#stops.set("store", error.message);
    }
  }

  /**
   * The row as it is; made first where it is missing and may be made.
   * @param from `known`: what was seen last is good enough; `anew`: only what the store answers now
   * @returns undefined only where `initialise` is `always` and nothing was ever signed
   * @throws SignerError once the deadline is over, or where an operator must act
   */
  async current(key: RowKey, deadline: AbortSignal, from: Seen = "known"): Promise<Versioned | undefined> {
    for (;;) {
      this.#refuseStopped();
      try {
        return await within(this.#find(key, deadline, from), deadline, late);
      } catch (error) {
        const fault = this.#faultOf(rowName(key), error);
        await pause(deadline, fault);
      }
    }
  }

  /**
   * Writes a row over the state that it was decided on.
   * @throws SignerError once the deadline is over, where an operator must act, or where the key has rows of too many chains
   */
  async write(
    key: RowKey,
    row: Row,
    over: Versioned | undefined,
    deadline: AbortSignal,
  ): Promise<Versioned | Unconfirmed> {
    if (over === undefined) this.#refuseManyChains(key);
    try {
      return await (over === undefined
        ? this.#make(key, row, deadline)
        : this.#remember(key, row, this.#options.store.replace(key, row, over.version, deadline), deadline));
    } catch (error) {
      this.#memory.invalidate(key);
      if (error instanceof StoreError && error.fault === "conflict") return "conflict";
      await pause(deadline, this.#faultOf("store", error));
      return "unanswered";
    }
  }

  /**
   * Looks at a row without making it, and without waiting for a store that is away.
   * @throws SignerError `watermark-unavailable` (call again) or `watermark-untrusted` (an operator must act)
   */
  async look(key: RowKey, deadline: AbortSignal): Promise<Row | undefined> {
    return (await this.#once(rowName(key), () => this.#memory.current(key, deadline), deadline))?.row;
  }

  /**
   * Checks the store, sees how far each of its rows has come, and makes the rows that are missing, as far as is allowed.
   * To be called until it resolves: a role assignment may take minutes to work.
   * @param keys the rows that policies name
   * @throws SignerError `watermark-unavailable` (call again), `watermark-missing` or `watermark-untrusted` (an operator must act)
   */
  async prepare(keys: readonly RowKey[], deadline: AbortSignal): Promise<void> {
    this.#named = new Set(keys.map(rowName));
    this.probe();
    this.#refuseStopped();
    if (this.#id === undefined) await this.#once("store", () => this.#verify(deadline), deadline);
    if (!this.#isListed) await this.#once("store", () => this.#list(deadline), deadline);
    await atOnce(PARALLEL, keys, (key) => this.#once(rowName(key), () => this.#find(key, deadline), deadline));
  }

  async #once<T>(name: string, work: () => Promise<T>, deadline: AbortSignal): Promise<T> {
    try {
      return await within(work(), deadline, late);
    } catch (error) {
      const fault = this.#faultOf(name, error);
      throw new SignerError("watermark-unavailable", fault.message, { cause: fault });
    }
  }

  /** Whatever one row tells of the store holds for all: a store that went back did so in the rows not read yet as well. */
  #refuseStopped(): void {
    const [stop] = this.#stops.values();
    if (stop !== undefined) throw new SignerError("watermark-untrusted", stop);
  }

  async #find(key: RowKey, deadline: AbortSignal, from: Seen = "known"): Promise<Versioned | undefined> {
    if (this.#id === undefined) await this.#verify(deadline);
    const found = await this.#memory.current(key, deadline, from);
    const { initialise, clock } = this.#options;
    if (found !== undefined || initialise === "always") return found;
    const window = await this.#openWindow(rowName(key), initialise, deadline);
    this.#refuseManyChains(key);
    return this.#make(key, floorRow(window, clock()), deadline);
  }

  async #verify(deadline: AbortSignal): Promise<void> {
    const { store, storeId, initialise } = this.#options;
    let identity = await store.identity(deadline);
    if (identity === undefined) {
      if (initialise !== "always") await this.#openWindow("watermark store", initialise, deadline);
      identity = newStoreId(store, storeId);
      await store.establish(identity, deadline);
    }
    if (storeId !== undefined && identity !== storeId) {
      throw anotherStore(identity, storeId);
    }
    this.#id = identity;
  }

  async #list(deadline: AbortSignal): Promise<void> {
    for (const { key, row } of await this.#options.store.list(deadline)) this.#memory.see(key, row);
    this.#isListed = true;
  }

  async #remember(key: RowKey, row: Row, written: Promise<string>, deadline: AbortSignal): Promise<Versioned> {
    const state = { row, version: await within(written, deadline, late) };
    this.#memory.remember(key, state);
    return state;
  }

  async #make(key: RowKey, row: Row, deadline: AbortSignal): Promise<Versioned> {
    const call = {};
    this.#making.set(call, key);
    try {
      return await this.#remember(key, row, this.#options.store.insert(key, row, deadline), deadline);
    } finally {
      this.#making.delete(call);
    }
  }

  #refuseManyChains(key: RowKey): void {
    if (this.#named.has(rowName(key))) return;
    const making = [...this.#making.values()].filter(({ address }) => address === key.address);
    const chains = new Set([...this.#memory.chainsOf(key.address), ...making.map(({ chainId }) => chainId)]);
    if (chains.size < MOST_CHAINS || chains.has(key.chainId)) return;
    throw manyChains(rowName(key), chains.size);
  }

  async #openWindow<W extends Exclude<Initialise, "always">>(
    what: string,
    window: W | undefined,
    deadline: AbortSignal,
  ) {
    const now = await this.#options.store.now(deadline);
    const closed = windowClosedReason(window, now);
    if (closed === undefined && window !== undefined) return window;
    throw missing(what, closed);
  }

  /** The outage behind an error; whatever is no outage is thrown, and remembered where it is a hard stop. */
  #faultOf(name: string, error: unknown): StoreError {
    if (!(error instanceof StoreError)) throw error;
    if (error.fault === "unavailable" || error.fault === "conflict") return error;
    this.#stops.set(name, error.message);
    throw new SignerError("watermark-untrusted", error.message, { cause: error });
  }
}
