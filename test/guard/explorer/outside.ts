import { compare, decide } from "../../../signer/watermark/decision.ts";
import { merge, takenOver } from "../../../signer/watermark/interchange/merge.ts";
import type { Row, Versioned } from "../../../signer/watermark/stores/store.ts";
import { KEY } from "../../fixtures/watermark-rows.ts";
import {
  BrokenPromise,
  type Imported,
  NOW,
  type Operation,
  type Outcome,
  type Request,
  type StoreOperation,
} from "./messages.ts";

/**
 * What is outside of the signers: the store, and what was released. Pure functions over plain values.
 * @module
 */

export interface Store {
  readonly identity?: string | undefined;
  /** By kind. */
  readonly rows: Readonly<Record<string, Versioned>>;
}

/** What left: the digest of each place, and each block's signature by its bytes. */
export interface Released {
  readonly digests: Readonly<Record<string, string>>;
  readonly signatures: Readonly<Record<string, string>>;
}

/**
 * Does an operation.
 * @throws BrokenPromise where a row goes back
 */
export function perform(store: Store, operation: StoreOperation): { readonly store: Store; readonly outcome: Outcome } {
  if (isLost(store, operation)) return { store, outcome: { fault: "conflict" } };
  switch (operation.does) {
    case "identity":
      return { store, outcome: { value: store.identity } };
    case "now":
      return { store, outcome: { value: NOW } };
    case "read":
      return { store, outcome: { value: store.rows[operation.kind] } };
    case "establish":
      return { store: { ...store, identity: operation.id }, outcome: { value: undefined } };
    default:
      return write(store, operation);
  }
}

function write(store: Store, { kind, row }: Extract<StoreOperation, { row: Row }>): ReturnType<typeof perform> {
  const before = store.rows[kind];
  if (before !== undefined && compare(row, before.row) < 0)
    throw new BrokenPromise(`the ${kind} row went back to ${row.level}/${row.round}`);
  const version = String(Number(before?.version ?? 0) + 1);
  return { store: { ...store, rows: { ...store.rows, [kind]: { row, version } } }, outcome: { value: version } };
}

/** Takes over a mark as `watermarks import` does: by one compare-and-set, so at once. */
export function importMark(store: Store, { kind, level, round, bytes }: Imported): Store {
  const before = store.rows[kind];
  const merged = merge(before?.row, takenOver({ key: { ...KEY, kind }, mark: { level, round, digest: bytes } }));
  if (merged === before?.row) return store;
  const row = { ...merged, anchor: before?.row.anchor ?? { level, at: NOW } };
  return { ...store, rows: { ...store.rows, [kind]: { row, version: String(Number(before?.version ?? 0) + 1) } } };
}

/** Whether the store refuses a request that comes now. */
export function isRefused(store: Store, { kind, level, round, bytes }: Request): boolean {
  return decide(store.rows[kind]?.row, { level, round }, bytes).verdict === "refuse";
}

/** Whether a write can do nothing any more. It never will: versions only rise, and nothing vanishes. */
export function isLost(store: Store, operation: Operation): boolean {
  if (operation.does === "establish") return store.identity !== undefined;
  if (operation.does === "insert") return store.rows[operation.kind] !== undefined;
  if (operation.does !== "replace" || operation.version === "*") return false;
  return store.rows[operation.kind]?.version !== operation.version;
}

/** What every later answer would be too, or undefined where it may still change. */
export function settled(store: Store, operation: Operation): Outcome | undefined {
  if (operation.does === "now") return { value: NOW };
  if (operation.does === "identity" && store.identity !== undefined) return { value: store.identity };
  return isLost(store, operation) ? { fault: "conflict" } : undefined;
}

export function isWrite({ does }: Operation): boolean {
  return does === "establish" || does === "insert" || does === "replace";
}

/**
 * Notes a release.
 * @param isLate whether the store had refused the request when it came
 * @throws BrokenPromise where it must not have left
 */
export function release(
  released: Released,
  { kind, level, round, bytes }: Request,
  signature: string,
  isLate: boolean,
): Released {
  const place = `${kind} at ${level}/${round}`;
  if (isLate && released.digests[place] === undefined)
    throw new BrokenPromise(`first signature for the ${place}, asked after its row had moved on`);
  const digest = released.digests[place] ?? bytes;
  if (digest !== bytes) throw new BrokenPromise(`two digests released for the ${place}: ${digest} and ${bytes}`);
  if (!signature.endsWith(`of${bytes}`)) throw new BrokenPromise(`a signature of other bytes released for ${bytes}`);
  const digests = sorted({ ...released.digests, [place]: bytes });
  if (kind !== "block") return { ...released, digests };
  if ((released.signatures[bytes] ?? signature) !== signature)
    throw new BrokenPromise(`two signatures released for the block ${bytes}`);
  return { digests, signatures: sorted({ ...released.signatures, [bytes]: signature }) };
}

/** In one order, whichever came first. */
function sorted(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).sort());
}
