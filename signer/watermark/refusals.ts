/**
 * What an operator must mend before anything is signed, in sentences. Pure.
 * @module
 */
import { SignerError } from "../errors.ts";
import { StoreError } from "./stores/store.ts";

/** Says that a store is another one than the settings name. @param identity the store's own id */
export function anotherStore(identity: string, storeId: string): StoreError {
  return new StoreError(
    "untrusted",
    `The store's id is ${identity} and the settings name ${storeId}: this is another signer's memory. ` +
      "Point `watermarks` at the store that guards this key.",
  );
}

/** Says that what is missing may not be made. @param closed why not, by `windowClosedReason` */
export function missing(what: string, closed: string | undefined): SignerError {
  return new SignerError(
    "watermark-missing",
    `There is no ${what}, and none may be made: ${closed}. If this key has signed before, bring its record back. ` +
      "If it never has, set `watermarks.initialise` to the level where it starts.",
  );
}

/** Says that a key gets no row for one more chain. @param count how many chains it has marks on */
export function manyChains(name: string, count: number): SignerError {
  return new SignerError(
    "watermark-missing",
    `There is no ${name}, and none is made: the key has marks on ${count} chains already. ` +
      "Name the chains that it is for in its policy's `chains`.",
  );
}
