import type { Row, RowKey } from "../../signer/watermark/store.ts";
import { MAINNET, SOURCE } from "./payloads.ts";

/** Rows and keys of rows with plain defaults, so that a test names only what it is about. */
export const KEY: RowKey = { chainId: MAINNET, address: SOURCE, kind: "attestation" };
export const BLOCK_KEY: RowKey = { ...KEY, kind: "block" };

/** A digest of one repeated byte. */
export function digestOf(byte: string): string {
  return byte.repeat(32);
}

export function rowAt(level: number, rest: Partial<Row> = {}): Row {
  return { level, round: 0, digest: digestOf("aa"), anchor: { level, at: 1_700_000_000_000 }, ...rest };
}

/** A signal that never ends. */
export const NEVER = new AbortController().signal;
