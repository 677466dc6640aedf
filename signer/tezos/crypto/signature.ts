import { p256 } from "@noble/curves/nist.js";
import { verify as verifyOnP256K } from "tiny-secp256k1";
import { decode, EncodingError, encode } from "./base58.ts";
import type { Curve } from "./curve.ts";
import { CURVES, order } from "./curve.ts";
import { type AffinePoint, verifyOnP256 } from "./p256-verification.ts";
import type { PublicKey } from "./public-key.ts";

/**
 * Encodes a signature in base58check.
 * @param curve whose signature it is
 * @param signature r || s, 64 bytes
 * @returns spsig1… (P-256K) or p2sig… (P-256)
 */
export function encodeSignature(curve: Curve, signature: Uint8Array): string {
  return encode(CURVES[curve].signature, signature);
}

/**
 * Decodes a signature in base58check.
 * @param text sig…, edsig…, spsig1… or p2sig…
 * @returns the 64 bytes, and the prefix that says which scheme made them (`sig` leaves it open)
 * @throws EncodingError for any other text
 */
export function decodeSignature(text: string): { prefix: "sig" | "edsig" | "spsig1" | "p2sig"; bytes: Uint8Array } {
  return decode(text, "sig", "edsig", "spsig1", "p2sig");
}

/**
 * Brings a signature into the form of a signature that Tezos accepts. An HSM gives either of (r, s) and (r, n - s).
 * tz2: octez verifies with libsecp256k1, which refuses s above n / 2, so that one becomes n - s.
 * tz3: octez's P-256 accepts both, so the HSM's own bytes stay as they are.
 * @param signature r || s, 64 bytes
 * @throws EncodingError for another length
 */
export function normalise(curve: Curve, signature: Uint8Array): Uint8Array {
  if (signature.length !== 64) throw new EncodingError(`a signature has 64 bytes, not ${signature.length}`);
  if (!CURVES[curve].lowS) return signature;
  const n = order(curve);
  const s = integer(signature.subarray(32));
  // s of n or more is no signature at all: left for verification to refuse.
  if (s <= n / 2n || s >= n) return signature;
  const normal = Uint8Array.from(signature);
  normal.set(Buffer.from((n - s).toString(16).padStart(64, "0"), "hex"), 32);
  return normal;
}

function integer(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** Each P-256 key's point: decompression takes longer than the rest. Dropped with the key. */
const points = new WeakMap<PublicKey, AffinePoint>();

function point(publicKey: PublicKey): AffinePoint {
  let found = points.get(publicKey);
  if (found === undefined) {
    found = p256.Point.fromBytes(publicKey.bytes).toAffine();
    points.set(publicKey, found);
  }
  return found;
}

/**
 * Tells whether Tezos accepts the signature: ECDSA over the digest as it is (FIPS 186-5 6.4.2), and low-S for tz2.
 * Exact: libsecp256k1 and OpenSSL compute the whole point u1 G + u2 Q. A check of x(u2 Q) alone would pass signatures
 * by the negated key.
 * @param publicKey the same object each time, since what speeds verification up is kept with it
 * @param digest Blake2b-256 of the payload, 32 bytes
 * @param signature r || s, 64 bytes
 */
export function verifySignature(publicKey: PublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  if (digest.length !== 32 || signature.length !== 64) return false;
  const { curve } = publicKey;
  const n = order(curve);
  const r = integer(signature.subarray(0, 32));
  const s = integer(signature.subarray(32));
  if (r < 1n || r >= n || s < 1n || s >= (CURVES[curve].lowS ? n / 2n + 1n : n)) return false;
  return curve === "P-256"
    ? verifyOnP256(point(publicKey), digest, signature)
    : verifyOnP256K(digest, publicKey.bytes, signature);
}

/** Makes a verification with the key now, so that the first one that counts finds all in place. */
export function prepareVerification(publicKey: PublicKey): void {
  verifySignature(publicKey, new Uint8Array(32), new Uint8Array(64).fill(1));
}
