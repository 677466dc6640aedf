import { blake2b256 } from "../../tezos/crypto/digest.ts";

/** Its first byte, "t", is no magic byte of Tezos, so a signature of it is good for nothing else. */
const DRILL_TEXT = "tezos-signer drill: this text is no Tezos request";

/** What the offline key and the vault both sign. */
export const DRILL_DIGEST = blake2b256(Buffer.from(DRILL_TEXT));
