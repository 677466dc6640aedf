import { fingerprint, subjectPublicKeyInfo } from "../../key-files/private-key.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";

/** Returns what identifies a key, for programs. All of it is public. */
export function facts(key: PublicKey) {
  const { address, base58: publicKey, curve } = key;
  return { address, publicKey, curve, fingerprint: fingerprint(subjectPublicKeyInfo(key)) };
}

/** Returns what identifies a key, as rows for a table. All of it is public. */
export function identity(key: PublicKey): [label: string, value: string][] {
  return [
    ["Address", key.address],
    ["Public key", key.base58],
    ["Curve", key.curve === "P-256" ? "P-256 (tz3)" : "P-256K, also called secp256k1 (tz2)"],
    ["Fingerprint", fingerprint(subjectPublicKeyInfo(key))],
  ];
}
