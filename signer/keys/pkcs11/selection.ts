/** A key on a token as it is named there. */
export interface TokenKeyName {
  /** CKA_LABEL. */
  readonly label: string;
  /** CKA_ID, hex. */
  readonly id: string;
}

/** Tells a key's id from a label in `include`. */
const ID = /^id:((?:[0-9a-f]{2})+)$/i;

/**
 * Tells whether an entry of `include` means this key.
 * @param entry `id:` and CKA_ID in hex, else CKA_LABEL
 */
export function means(entry: string, { label, id }: TokenKeyName): boolean {
  const wanted = ID.exec(entry)?.[1];
  return wanted === undefined ? entry === label : wanted.toLowerCase() === id;
}

/** Names a key for the log, such as `"baker" (id 01)`. */
export function nameOf({ label, id }: TokenKeyName): string {
  if (label === "") return id === "" ? "a key without label and id" : `id:${id}`;
  return id === "" ? JSON.stringify(label) : `${JSON.stringify(label)} (id ${id})`;
}
