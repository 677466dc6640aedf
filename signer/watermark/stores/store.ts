import { ownersCommand } from "../../own-command.ts";
import type { ConsensusKind } from "../../tezos/payload/payload.ts";
import type { Anchor } from "../anchor.ts";
import type { Mark } from "../decision.ts";

/** What one mark is about. DAL and plain attestations are one kind (validate.ml compares them with each other). */
export interface RowKey {
  /** `Net…`, base58check. */
  readonly chainId: string;
  /** Public key hash, base58check. */
  readonly address: string;
  readonly kind: ConsensusKind;
}

/**
 * Chooses the id of a store that is to be made.
 * @param named the id that the settings demand
 * @throws StoreError `untrusted` where it demands one that this store can only have if it exists already
 */
export function newStoreId({ isShared }: Pick<WatermarkStore, "isShared">, named: string | undefined): string {
  if (isShared) return named ?? crypto.randomUUID();
  if (named === undefined) return crypto.randomUUID();
  throw new StoreError(
    "untrusted",
    `The settings demand the watermark store ${named}, and there is none here; a new one gets an id of its own. Bring ` +
      `that store here, or take \`watermarks.storeId\` out of the settings and bind the key to the new store (${ownersCommand("keys bind")}).`,
  );
}

/** Returns a row's name in maps, logs and messages. */
export function rowName(key: RowKey): string {
  return `${key.kind} of ${key.address} on ${key.chainId}`;
}

/** One row of the store. */
export interface Row extends Mark {
  readonly anchor: Anchor;
}

/** A row and its version token (an ETag or a counter), which a compare-and-set compares. */
export interface Versioned {
  readonly row: Row;
  readonly version: string;
}

/**
 * Where watermarks are kept. Every write is one compare-and-set of one row and is durable when its promise resolves.
 * No lock, no lease, no transaction over rows. Every method rejects with StoreError and nothing else.
 */
export interface WatermarkStore {
  /**
   * Whether signers on several computers may share it. Such a store gets the id that the settings name, by which they
   * find each other; any other gets a random one, or two computers with the same settings would pass for one store.
   */
  readonly isShared: boolean;
  /** The store's random id, or undefined where nothing has ever been stored. */
  identity(signal: AbortSignal): Promise<string | undefined>;
  /** Makes an empty store of this id; insert-only: an identity that is there already is a conflict. */
  establish(id: string, signal: AbortSignal): Promise<void>;
  /** The store's own clock, in milliseconds since 1970. */
  now(signal: AbortSignal): Promise<number>;
  read(key: RowKey, signal: AbortSignal): Promise<Versioned | undefined>;
  /** Writes a row that must not be there yet. @returns its version */
  insert(key: RowKey, row: Row, signal: AbortSignal): Promise<string>;
  /** Writes a row that must still be at `version`. @returns the new version */
  replace(key: RowKey, row: Row, version: string, signal: AbortSignal): Promise<string>;
  /**
   * Looks whether what it stands on is still what it was, without a wait; absent where only an answer of the store tells.
   * @throws StoreError `untrusted`
   */
  probe?(): void;
  /**
   * Finds out whether it would take a write now, and changes nothing.
   * @throws StoreError where it would not, or does not answer
   */
  proveWritable?(signal: AbortSignal): Promise<void>;
  /** Every row, in no particular order. */
  list(signal: AbortSignal): Promise<{ readonly key: RowKey; readonly row: Row }[]>;
  close(): Promise<void>;
}

export type StoreFault =
  /** Another writer was first: read again and decide again. */
  | "conflict"
  /** No answer, or not now: what was asked may or may not have been done. */
  | "unavailable"
  /** What the store holds cannot be trusted, or a write was lost: nothing may be signed on it. */
  | "untrusted"
  /** Another process holds a store that only one may open. */
  | "in-use";

/** The only error of a store. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly fault: StoreFault;

  /** @param message what happened and, for `untrusted`, what to do */
  constructor(fault: StoreFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
