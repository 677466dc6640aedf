import { createPublicKey, hash, type KeyObject } from "node:crypto";
import type { Curve } from "../tezos/crypto/curve.ts";
import { CURVES } from "../tezos/crypto/curve.ts";
import { type PublicKey, publicKeyFromPoint } from "../tezos/crypto/public-key.ts";
import { integer, objectIdentifier, octetString, sequence, value } from "./der.ts";
import { KeyError } from "./key-error.ts";

/** id-ecPublicKey, RFC 5480. */
const EC_PUBLIC_KEY = objectIdentifier("2a8648ce3d0201");

/** What the two curves are called in key files: OpenSSL's name, and the object identifier (RFC 5480; SEC 2, A.2.1). */
const NAMES = {
  "P-256": { openssl: "prime256v1", identifier: objectIdentifier("2a8648ce3d030107") },
  "P-256K": { openssl: "secp256k1", identifier: objectIdentifier("2b8104000a") },
} as const satisfies Record<Curve, unknown>;

/** A private key in this process's memory. Dispose of it (`using`) as soon as it has served: that wipes the scalar. */
export class PrivateKey implements Disposable {
  readonly publicKey: PublicKey;
  readonly #scalar: Uint8Array;

  /**
   * @param scalar 32 bytes, big-endian; taken over, not copied: disposing wipes them
   * @throws KeyError `unreadable` if the scalar is 0 or not below the curve's order
   */
  constructor(curve: Curve, scalar: Uint8Array) {
    const { ecdsa } = CURVES[curve];
    if (!ecdsa.utils.isValidSecretKey(scalar)) {
      throw new KeyError(
        "unreadable",
        `The secret is no valid ${curve} key: it must be 32 bytes, not 0, below the order.`,
      );
    }
    this.#scalar = scalar;
    this.publicKey = publicKeyFromPoint(curve, ecdsa.getPublicKey(scalar, true));
  }

  /** A new key from the operating system's random source. */
  static generate(curve: Curve): PrivateKey {
    return new PrivateKey(curve, CURVES[curve].ecdsa.utils.randomSecretKey());
  }

  /**
   * Takes a key over from node:crypto.
   * @throws KeyError `wrong-kind` for another algorithm or curve, or explicit curve parameters; `unreadable` if the
   *   public point stored with the scalar is not its own
   */
  static fromKeyObject(key: KeyObject): PrivateKey {
    const name = key.asymmetricKeyDetails?.namedCurve;
    const curve = (Object.keys(NAMES) as Curve[]).find((curve) => NAMES[curve].openssl === name);
    if (key.asymmetricKeyType !== "ec" || curve === undefined) {
      throw new KeyError(
        "wrong-kind",
        `This is a key for ${name ?? key.asymmetricKeyType}; the signer uses P-256 (tz3) and P-256K, also called secp256k1 (tz2).`,
      );
    }
    const der = key.export({ type: "sec1", format: "der" });
    try {
      // RFC 5915: SEQUENCE { INTEGER 1, OCTET STRING of 32 bytes, ... }; with explicit parameters the header is longer.
      if (der.subarray(2, 7).toString("hex") !== "0201010420") {
        throw new KeyError(
          "wrong-kind",
          "The key spells out its curve's parameters instead of naming it. Make it anew with: openssl ec -param_enc named_curve",
        );
      }
      const own = new PrivateKey(curve, Uint8Array.from(der.subarray(7, 39)));
      const stored = createPublicKey(key).export({ format: "jwk" });
      const x = Buffer.from(stored.x ?? "", "base64url");
      const y = Buffer.from(stored.y ?? "", "base64url");
      if (!own.#point().equals(Buffer.concat([Uint8Array.of(4), x, y]))) {
        own[Symbol.dispose]();
        throw new KeyError("unreadable", "The key is damaged: the public key in it is not that of its secret.");
      }
      return own;
    } finally {
      der.fill(0);
    }
  }

  /**
   * Signs a digest with a fresh nonce, as an HSM does: s is high or low.
   * @param digest 32 bytes
   * @returns r || s, 64 bytes
   */
  sign(digest: Uint8Array): Uint8Array {
    const { ecdsa } = CURVES[this.publicKey.curve];
    return ecdsa.sign(digest, this.#scalar, { prehash: false, lowS: false, extraEntropy: true });
  }

  /** PKCS#8 (RFC 5208) holding an RFC 5915 key with its public point, DER, unencrypted. The caller wipes it. */
  toPkcs8(): Buffer {
    const point = value(0xa1, value(0x03, Buffer.concat([Uint8Array.of(0), this.#point()])));
    const secret = octetString(this.#scalar);
    const key = sequence(integer(1), secret, point);
    const wrapped = octetString(key);
    try {
      return sequence(integer(0), sequence(EC_PUBLIC_KEY, NAMES[this.publicKey.curve].identifier), wrapped);
    } finally {
      for (const copy of [secret, key, wrapped]) copy.fill(0);
    }
  }

  /** The public point's affine coordinates, 32 bytes each. */
  coordinates(): [x: Uint8Array, y: Uint8Array] {
    const point = this.#point();
    return [point.subarray(1, 33), point.subarray(33)];
  }

  /** Runs `use` on a copy of the scalar, 32 bytes, which is wiped afterwards. */
  withScalar<T>(use: (scalar: Uint8Array) => T): T {
    const copy = Uint8Array.from(this.#scalar);
    try {
      return use(copy);
    } finally {
      copy.fill(0);
    }
  }

  [Symbol.dispose](): void {
    this.#scalar.fill(0);
  }

  /** SEC 1 uncompressed point, 65 bytes. */
  #point(): Buffer {
    return uncompressed(this.publicKey);
  }
}

function uncompressed(key: PublicKey): Buffer {
  return Buffer.from(CURVES[key.curve].ecdsa.Point.fromBytes(key.bytes).toBytes(false));
}

/** Encodes the SubjectPublicKeyInfo (RFC 5480) of a public key, DER: what `openssl pkey -pubout` writes. */
export function subjectPublicKeyInfo(key: PublicKey): Buffer {
  const point = Buffer.concat([Uint8Array.of(0), uncompressed(key)]);
  return sequence(sequence(EC_PUBLIC_KEY, NAMES[key.curve].identifier), value(0x03, point));
}

/**
 * Computes a fingerprint to compare by eye: the first 128 bits of the SHA-256 of a SubjectPublicKeyInfo, as eight
 * groups of four hexadecimal digits. `openssl pkey -pubin -in KEY -outform DER | sha256sum` gives the same digits.
 */
export function fingerprint(spki: Uint8Array): string {
  const digits = hash("sha256", spki, "hex").slice(0, 32);
  return (digits.match(/.{4}/g) ?? []).join(" ");
}
