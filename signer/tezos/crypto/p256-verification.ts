/**
 * Verification on P-256 by OpenSSL, several times faster than arithmetic in JavaScript. Node.js gives OpenSSL's ECDSA for
 * messages alone, which it hashes itself, and Tezos signs a digest that is none of its hashes. So the key is shifted
 * instead of the message:
 *
 * (r, s) is valid for the digest z under the key Q exactly if x((z/s) G + (r/s) Q) = r (FIPS 186-5 6.4.2). Let e be the
 * hash of a message of ours, t = (z - e) / r, and Q' = Q + t G. Then (e/s) G + (r/s) Q' = (e/s) G + (r/s) Q + ((z - e)/s) G
 * = (z/s) G + (r/s) Q: the same point. So (r, s) is valid for z under Q exactly if it is valid for our message under Q',
 * and of that OpenSSL is the judge. Nothing about Q is secret, nor about t.
 * @module
 */
import { createECDH, createHash, createPublicKey, verify } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";

const { Fn, Fp } = p256.Point;

/** The message that OpenSSL is asked about; any other would do. */
const MESSAGE = Buffer.from("tezos-signer");
const HASH = Fn.create(integer(createHash("sha256").update(MESSAGE).digest()));

/** DER of an uncompressed point's SubjectPublicKeyInfo on prime256v1, up to its 64 bytes: RFC 5480 2. */
const SPKI = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

/** A point of the curve that is not the one at infinity. */
export interface AffinePoint {
  readonly x: bigint;
  readonly y: bigint;
}

/**
 * Tells whether an ECDSA signature is valid.
 * @param point the public key
 * @param digest 32 bytes, as they are
 * @param signature r || s, 64 bytes, both in [1, n - 1]
 */
export function verifyOnP256(point: AffinePoint, digest: Uint8Array, signature: Uint8Array): boolean {
  const r = integer(signature.subarray(0, 32));
  const t = Fn.mul(Fn.sub(Fn.create(integer(digest)), HASH), Fn.inv(r));
  const shifted = t === 0n ? point : plus(point, multipleOfBase(t));
  // The sum of a point and itself, or its negative, has another formula, and only who knows the key's secret can ask for it.
  if (shifted === undefined) {
    const { x, y } = point;
    const key = p256.Point.fromAffine({ x, y }).toBytes(true);
    return p256.verify(signature, digest, key, { prehash: false, lowS: false });
  }
  const key = createPublicKey({
    key: Buffer.concat([SPKI, bytes(shifted.x), bytes(shifted.y)]),
    format: "der",
    type: "spki",
  });
  return verify("sha256", MESSAGE, { key, dsaEncoding: "ieee-p1363" }, signature);
}

/** t G: the public key of the private key t. */
function multipleOfBase(t: bigint): AffinePoint {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(bytes(t));
  const point = ecdh.getPublicKey();
  return { x: integer(point.subarray(1, 33)), y: integer(point.subarray(33)) };
}

/** The sum of two points, SEC 1 2.2.1 rule 4; undefined where their x are the same, which is another rule. */
function plus(a: AffinePoint, b: AffinePoint): AffinePoint | undefined {
  if (a.x === b.x) return undefined;
  const slope = Fp.mul(Fp.sub(b.y, a.y), Fp.inv(Fp.sub(b.x, a.x)));
  const x = Fp.sub(Fp.sub(Fp.sqr(slope), a.x), b.x);
  return { x, y: Fp.sub(Fp.mul(slope, Fp.sub(a.x, x)), a.y) };
}

function integer(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function bytes(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, "0"), "hex");
}
