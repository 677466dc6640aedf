import { decode, EncodingError, encode } from "./base58.ts";
import { CURVES, type Curve } from "./curve.ts";
import { blake2b160 } from "./digest.ts";

/** A public key as the signer uses it. */
export interface PublicKey {
  readonly curve: Curve;
  /** SEC 1 compressed point, 33 bytes. */
  readonly bytes: Uint8Array;
  /** `sppk…` (P-256K) or `p2pk…` (P-256). */
  readonly base58: string;
  /** `tz2…` (P-256K) or `tz3…` (P-256): Blake2b-160 of the 33 bytes. */
  readonly address: string;
}

/** The public members of an EC key in JWK form; coordinates in base64url or base64, or as bytes (Key Vault's SDK). */
export interface EcJwk {
  readonly crv?: string | undefined;
  readonly x?: string | Uint8Array | undefined;
  readonly y?: string | Uint8Array | undefined;
}

/** Names of the curves in JWK: RFC 7518 6.2.1.1, RFC 8812 3.1, and Key Vault's own for P-256K, past and present. */
const JWK_CURVES: Readonly<Record<string, Curve>> = {
  "P-256": "P-256",
  "P-256K": "P-256K",
  SECP256K1: "P-256K",
  secp256k1: "P-256K",
};

/**
 * Reads a public key as Key Vault gives it.
 * @param jwk public members of an EC key
 * @throws EncodingError for another curve, a coordinate that is not 32 bytes, or a point off the curve
 */
export function publicKeyFromJwk(jwk: EcJwk): PublicKey {
  const curve = jwk.crv === undefined || !Object.hasOwn(JWK_CURVES, jwk.crv) ? undefined : JWK_CURVES[jwk.crv];
  if (curve === undefined) {
    throw new EncodingError(
      `a Tezos key is on P-256 (tz3) or P-256K (tz2); this one is on ${jwk.crv ?? "no named curve"}`,
    );
  }
  return publicKeyFromPoint(
    curve,
    Buffer.concat([[0x04], coordinate("x", jwk.x), coordinate("y", jwk.y)].map(Buffer.from)),
  );
}

/** RFC 7518 6.2.1.2: always the full 32 octets, leading zeros included. */
function coordinate(name: "x" | "y", value: string | Uint8Array | undefined): Uint8Array {
  if (value === undefined) throw new EncodingError(`the key has no coordinate ${name}`);
  // Buffer's base64url decoder reads base64 with padding as well: Key Vault has answered with both.
  const bytes = typeof value === "string" ? Buffer.from(value, "base64url") : value;
  if (bytes.length !== 32) throw new EncodingError(`coordinate ${name} must be 32 bytes, not ${bytes.length}`);
  return bytes;
}

/**
 * Reads a public key from its point.
 * @param curve the point's curve
 * @param point SEC 1: 33 bytes compressed or 65 uncompressed
 * @throws EncodingError when that is no point of the curve
 */
export function publicKeyFromPoint(curve: Curve, point: Uint8Array): PublicKey {
  const { ecdsa, address, publicKey } = CURVES[curve];
  let bytes: Uint8Array;
  try {
    const parsed = ecdsa.Point.fromBytes(point);
    parsed.assertValidity();
    bytes = parsed.toBytes(true);
  } catch (error) {
    throw new EncodingError(`these ${point.length} bytes are no point of ${curve}`, { cause: error });
  }
  return { curve, bytes, base58: encode(publicKey, bytes), address: encode(address, blake2b160(bytes)) };
}

/**
 * Reads a public key in base58check.
 * @param text sppk… or p2pk…
 * @throws EncodingError for any other text, and for a point off the curve
 */
export function publicKeyFromBase58(text: string): PublicKey {
  const { prefix, bytes } = decode(text, "sppk", "p2pk");
  return publicKeyFromPoint(prefix === "sppk" ? "P-256K" : "P-256", bytes);
}
