import type { Row, RowKey } from "./store.ts";

/** The row that holds the store's id; an address never has this form. */
export const IDENTITY = { partitionKey: "store", rowKey: "identity" } as const;

/** Names a row within its address's partition. */
export function rowKeyOf({ chainId, kind }: RowKey): string {
  return `${chainId}_${kind}`;
}

/** Writes a row as the entity that holds it. */
export function entityOf(key: RowKey, { level, round, digest, signature, anchor }: Row) {
  return {
    partitionKey: key.address,
    rowKey: rowKeyOf(key),
    level,
    round,
    ...(digest === undefined ? {} : { digest }),
    ...(signature === undefined ? {} : { signature }),
    anchorLevel: anchor.level,
    anchorAt: new Date(anchor.at),
  };
}
