import type { SQLInputValue } from "node:sqlite";
import type { NamedRow } from "./sqlite-witness.ts";
import type { Row, RowKey } from "./store.ts";
import { keyFrom, rowFrom } from "./stored-row.ts";

/** Returns a row as it lies in the file; without a key where it is nobody's. */
export function namedRowOf(
  found: Record<string, unknown>,
): Omit<NamedRow, "key"> & { readonly key: RowKey | undefined } {
  const { chain_id, address, kind } = found;
  return { key: keyFrom(String(chain_id), String(address), String(kind)), row: rowOf(found) };
}

/** Tells whether a row is a key's. */
export function isNamed(row: ReturnType<typeof namedRowOf>): row is NamedRow {
  return row.key !== undefined;
}

/** Returns what finds a row. */
export function keyOf({ chainId, address, kind }: RowKey): [string, string, string] {
  return [chainId, address, kind];
}

/** Returns what a row says, in the order of the columns. */
export function valuesOf({ level, round, digest, signature, anchor }: Row): SQLInputValue[] {
  return [level, round, digest ?? null, signature ?? null, anchor.level, anchor.at];
}

/** Reads the mark in a row. @returns undefined where it is no mark, or can have no next version */
export function rowOf({ level, round, digest, signature, anchor_level, anchor_at, version }: Record<string, unknown>) {
  if (versionAfter(version) === FIRST_VERSION) return undefined;
  const [anchorLevel, anchorAt] = [numberOf(anchor_level), numberOf(anchor_at)];
  return rowFrom({ level: numberOf(level), round: numberOf(round), digest, signature, anchorLevel, anchorAt });
}

/** SQLite's integers have 64 bits. */
function numberOf(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

const FIRST_VERSION = 1n;

/**
 * Returns the version that the next write of a row makes; the first, where somebody has written one that has no next.
 */
export function versionAfter(version: unknown): bigint {
  const isOwn = typeof version === "bigint" && version >= FIRST_VERSION && version < Number.MAX_SAFE_INTEGER;
  return isOwn ? version + 1n : FIRST_VERSION;
}
