import { type Row, type RowKey, rowName } from "../../signer/watermark/stores/store.ts";

/** Rows in an order that does not change. */
export function rowsByName(rows: readonly { readonly key: RowKey; readonly row: Row }[]): [name: string, row: Row][] {
  const named = rows.map(({ key, row }): [string, Row] => [rowName(key), row]);
  return named.sort(([one], [other]) => (one < other ? -1 : 1));
}
