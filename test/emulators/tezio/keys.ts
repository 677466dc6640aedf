import { randomBytes, randomInt } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { blake2b } from "blakejs";
import bs58check from "bs58check";

/** What makes and checks signatures in one place for keys, and how Tezos writes what it makes. */
interface Scheme {
  readonly publicKey: Buffer;
  readonly address: Buffer;
  readonly signature: Buffer;
  /** 32 bytes of ed25519, else X || Y. */
  raw(secret: Uint8Array): Uint8Array;
  compressed(secret: Uint8Array): Uint8Array;
  sign(hash: Uint8Array, secret: Uint8Array): Uint8Array;
  verify(signature: Uint8Array, hash: Uint8Array, secret: Uint8Array): boolean;
}

const hex = (text: string) => Buffer.from(text, "hex");

function ecdsa(
  curve: typeof p256 | typeof secp256k1,
  prefixes: Pick<Scheme, "publicKey" | "address" | "signature">,
  allowsHighS: boolean,
): Scheme {
  const n = curve.Point.Fn.ORDER;
  return {
    ...prefixes,
    raw: (secret) => curve.getPublicKey(secret, false).subarray(1),
    compressed: (secret) => curve.getPublicKey(secret, true),
    sign(hash, secret) {
      const options = { prehash: false, lowS: true, extraEntropy: randomBytes(32) };
      const { r, s } = curve.Signature.fromBytes(curve.sign(hash, secret, options));
      const isHigh = allowsHighS && randomInt(2) === 1;
      return new curve.Signature(r, isHigh ? n - s : s).toBytes();
    },
    verify: (signature, hash, secret) =>
      curve.verify(signature, hash, curve.getPublicKey(secret), { prehash: false, lowS: false }),
  };
}

const P256 = ecdsa(
  p256,
  { publicKey: hex("03b28b7f"), address: hex("06a1a4"), signature: hex("36f02c34") },
  // The chip chooses, and nothing makes s the lower one.
  true,
);

/** By p1: the key of clients' requests, tz1, tz2, tz3. */
export const SCHEMES: readonly Scheme[] = [
  P256,
  {
    publicKey: hex("0d0f25d9"),
    address: hex("06a19f"),
    signature: hex("09f5cd8612"),
    raw: (secret) => ed25519.getPublicKey(secret),
    compressed: (secret) => ed25519.getPublicKey(secret),
    sign: (hash, secret) => ed25519.sign(hash, secret),
    verify: (signature, hash, secret) => ed25519.verify(signature, hash, ed25519.getPublicKey(secret)),
  },
  ecdsa(secp256k1, { publicKey: hex("03fee256"), address: hex("06a1a1"), signature: hex("0d7365133f") }, false),
  P256,
];

export function hashOf(message: Uint8Array): Buffer {
  return Buffer.from(blake2b(message, undefined, 32));
}

const base58 = (prefix: Buffer, bytes: Uint8Array) => Buffer.from(bs58check.encode(Buffer.concat([prefix, bytes])));

/** A public key in one of the four modes of opcode 11. */
export function publicKeyIn(mode: number, p1: number, secret: Uint8Array): Uint8Array {
  const scheme = SCHEMES[p1] as Scheme;
  if (mode === 1) return scheme.raw(secret);
  const compressed = scheme.compressed(secret);
  if (mode === 2) return compressed;
  return mode === 3 ? base58(scheme.publicKey, compressed) : base58(scheme.address, blake2b(compressed, undefined, 20));
}

/** A signature of a hash in one of the modes of opcode 21: bytes in odd ones, base58 in even ones. */
export function signatureIn(mode: number, p1: number, signature: Uint8Array): Uint8Array {
  return mode % 2 === 1 ? signature : base58((SCHEMES[p1] as Scheme).signature, signature);
}
