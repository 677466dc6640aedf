import { decode, EncodingError, encode } from "./base58.ts";
import type { Curve } from "./curve.ts";
import { CURVES, order } from "./curve.ts";
import { type PublicKey, publicKeyFromPoint } from "./public-key.ts";

/** A private key in memory: for local keys, key import and tests; HSM keys never take this form. */
export interface SecretKey {
  readonly curve: Curve;
  /** Big-endian scalar, 32 bytes, in [1, order - 1]. */
  readonly scalar: Uint8Array;
}

/**
 * Reads a secret key in base58check.
 * @param text spsk… or p2sk…, not encrypted
 * @throws EncodingError for any other text, and for a scalar out of range; the message holds nothing of the text
 */
export function secretKeyFromBase58(text: string): SecretKey {
  const { prefix, bytes } = decode(text, "spsk", "p2sk");
  const curve = prefix === "spsk" ? "P-256K" : "P-256";
  checkScalar(curve, bytes);
  return { curve, scalar: bytes };
}

/**
 * Encodes a secret key in base58check.
 * @returns spsk… or p2sk…
 * @throws EncodingError for a scalar that is not 32 bytes in [1, order - 1]
 */
export function encodeSecretKey({ curve, scalar }: SecretKey): string {
  checkScalar(curve, scalar);
  return encode(CURVES[curve].secretKey, scalar);
}

/** Computes the public key that belongs to a private one. */
export function publicKeyOf({ curve, scalar }: SecretKey): PublicKey {
  checkScalar(curve, scalar);
  return publicKeyFromPoint(curve, CURVES[curve].ecdsa.getPublicKey(scalar));
}

function checkScalar(curve: Curve, scalar: Uint8Array): void {
  const fine = scalar.length === 32 && CURVES[curve].ecdsa.utils.isValidSecretKey(scalar);
  if (!fine)
    throw new EncodingError(`a private key of ${curve} is 32 bytes, above 0 and below 0x${order(curve).toString(16)}`);
}
