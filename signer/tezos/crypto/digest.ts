import { blake2b } from "blakejs";

/** Computes Blake2b with a 32-byte result: what Tezos signs in place of the bytes themselves. */
export function blake2b256(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, undefined, 32);
}

/** Computes Blake2b with a 20-byte result: the public key hash. */
export function blake2b160(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, undefined, 20);
}
