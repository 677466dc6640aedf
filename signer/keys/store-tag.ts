/** The vault key's tag that names the watermark store guarding it (DESIGN.md 6: one key, one store). */
export const STORE_TAG = "tezos-signer-watermarks";

/** In place of a store's id: no store guards the key yet, so a signer, finding another name than its own, refuses it. */
export const UNBOUND = "unbound";
