import { compare, type Mark } from "../decision.ts";
import { rowName } from "../stores/store.ts";
import type { NamedMark } from "./format.ts";

/**
 * Merges what two records know of one key and kind: the higher position, and at the same position what both agree on.
 * Where they disagree the digest becomes unknown, so that nothing at that position is signed again.
 * @returns `own` itself where the other tells nothing more
 */
export function merge<M extends Mark>(own: M | undefined, other: Mark): M | Mark {
  if (own === undefined) return other;
  const order = compare(other, own);
  if (order !== 0) return order > 0 ? other : own;
  if (own.digest === undefined) return own;
  const { level, round } = own;
  if (other.digest !== own.digest) return { level, round };
  if (own.signature !== undefined && other.signature !== undefined && own.signature !== other.signature) {
    return { level, round };
  }
  return own.signature === undefined && other.signature !== undefined ? other : own;
}

/**
 * Makes of a mark what may be taken over. Of a block whose signature is not known it is left open which bytes were
 * signed: their signer may have given them a signature, and the same bytes signed here would be a second block.
 */
export function takenOver({ key, mark }: NamedMark): Mark {
  const { level, round, signature } = mark;
  return key.kind === "block" && signature === undefined ? { level, round } : mark;
}

/** Merges several records into one: each row at its highest. */
export function mergeAll(marks: Iterable<NamedMark>): NamedMark[] {
  const merged = new Map<string, NamedMark>();
  for (const { key, mark } of marks) {
    merged.set(rowName(key), { key, mark: merge(merged.get(rowName(key))?.mark, mark) });
  }
  return [...merged.values()];
}
