import { EncodingError } from "../../tezos/crypto/base58.ts";
import type { Curve } from "../../tezos/crypto/curve.ts";
import { type PublicKey, publicKeyFromPoint } from "../../tezos/crypto/public-key.ts";

/** Where a board has its keys that Tezos takes here: p1 of a request (constants.h). 0 is for clients' requests, 1 is a tz1 key. */
export const SLOTS = { 2: "P-256K", 3: "P-256" } as const satisfies Record<number, Curve>;

export type Slot = keyof typeof SLOTS;

/** Keys by their slot; undefined where what the board showed is no key. */
export type BoardView = Readonly<Record<Slot, PublicKey | undefined>>;

/** Begins a point that is not compressed (SEC 1, 2.3.3). */
const UNCOMPRESSED = 0x04;

/**
 * Reads a public key as a board shows it. The board answers as well where its chip could not be read: that is no point of the
 * curve, and a point of another slot is none either.
 * @param point X || Y, 64 bytes
 */
export function readPoint(slot: Slot, point: Uint8Array): PublicKey | undefined {
  try {
    return publicKeyFromPoint(SLOTS[slot], Buffer.concat([Buffer.of(UNCOMPRESSED), point]));
  } catch (error) {
    if (error instanceof EncodingError) return undefined;
    throw error;
  }
}
