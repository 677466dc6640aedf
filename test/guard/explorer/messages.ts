import type { Position } from "../../../signer/watermark/decision.ts";
import type { Row, RowKey } from "../../../signer/watermark/stores/store.ts";

/**
 * What passes between a signer and everything else. A signer is told events; it asks for operations and answers clients.
 * @module
 */

export interface Request extends Position {
  readonly kind: RowKey["kind"];
  /** Stands for the payload's bytes. */
  readonly bytes: string;
}

export type StoreOperation =
  | { readonly does: "identity" | "now" }
  | { readonly does: "establish"; readonly id: string }
  | { readonly does: "read"; readonly kind: RowKey["kind"] }
  | { readonly does: "insert"; readonly kind: RowKey["kind"]; readonly row: Row }
  | { readonly does: "replace"; readonly kind: RowKey["kind"]; readonly row: Row; readonly version: string };

export type Operation = StoreOperation | { readonly does: "sign"; readonly request: Request };

/** A mark that an operator brings from another signer, beside the signers that run. */
export type Imported = Position & { readonly kind: RowKey["kind"]; readonly bytes: string };

/** An operation under way. */
export interface Call {
  /** Unique among the calls that a signer has under way. */
  readonly name: string;
  readonly attempt: string;
  readonly operation: Operation;
}

export type Outcome = { readonly value: unknown } | { readonly fault: "conflict" | "unavailable" };

/** What a signer can be told. An attempt is one try of one client. */
export type Event =
  | { readonly tells: "request"; readonly attempt: string; readonly request: Request }
  | { readonly tells: "deadline"; readonly attempt: string }
  | { readonly tells: "outcome"; readonly call: string; readonly outcome: Outcome };

export interface Answer {
  readonly attempt: string;
  /** `again` stands for every 502, `refused` for every other error. */
  readonly says: { readonly signature: string } | { readonly again: string } | { readonly refused: string };
}

/** A promise of the guard was broken. */
export class BrokenPromise extends Error {}

/** Every clock. */
export const NOW = 1_700_000_000_000;
