import { createHash, createPrivateKey, type JsonWebKey, sign as opensslSign } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { InMemorySigner } from "@taquito/signer";
import { verifySignature as taquitoVerifies } from "@taquito/utils";
import { expect } from "chai";
import fc from "fast-check";
import { EncodingError } from "../../../../signer/tezos/crypto/base58.ts";
import type { Curve } from "../../../../signer/tezos/crypto/curve.ts";
import { blake2b256 } from "../../../../signer/tezos/crypto/digest.ts";
import { publicKeyFromBase58, publicKeyFromPoint } from "../../../../signer/tezos/crypto/public-key.ts";
import { publicKeyOf, secretKeyFromBase58 } from "../../../../signer/tezos/crypto/secret-key.ts";
import {
  decodeSignature,
  encodeSignature,
  normalise,
  verifySignature,
} from "../../../../signer/tezos/crypto/signature.ts";
import { transfer } from "../../../fixtures/payloads.ts";
import { vectors } from "../../../fixtures/vectors.ts";

const SECRETS: Readonly<Record<Curve, string>> = {
  "P-256": "p2sk2rUMnnnFPQCB7DBozkCZrFhiZ87ddrpAHbRcww7dwU2WHYUbci",
  "P-256K": "spsk1XYsTqUsd7LaLs9a8qpmCvLVJeLEZEXkeAZS5dwcKgUZhv3cYw",
};
const NOBLE = { "P-256": p256, "P-256K": secp256k1 };
const CURVES: readonly Curve[] = ["P-256", "P-256K"];

/** (r, n - s): valid in plain ECDSA wherever (r, s) is. */
function mirrored(curve: Curve, signature: Uint8Array): Uint8Array {
  const n = NOBLE[curve].Point.Fn.ORDER;
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString("hex")}`);
  return Buffer.concat([signature.subarray(0, 32), Buffer.from((n - s).toString(16).padStart(64, "0"), "hex")]);
}

function rs(r: bigint, s: bigint): Uint8Array {
  return Buffer.from(r.toString(16).padStart(64, "0") + s.toString(16).padStart(64, "0"), "hex");
}

describe("signature encoding", () => {
  for (const { name, signature, raw, hsm_raw } of vectors.signature_encodings) {
    it(`writes and reads ${name ?? signature.slice(0, 12)}`, () => {
      const { prefix, bytes } = decodeSignature(signature);
      expect(Buffer.from(bytes).toString("hex")).to.equal(raw);
      if (prefix === "edsig") return;
      const curve = prefix === "p2sig" ? "P-256" : "P-256K";
      expect(encodeSignature(curve, normalise(curve, Buffer.from(hsm_raw ?? raw, "hex")))).to.equal(signature);
    });
  }

  it("leaves a P-256 signature as the HSM made it", () => {
    const high = rs(1n, p256.Point.Fn.ORDER - 1n);
    expect(normalise("P-256", high)).to.equal(high);
  });

  it("brings every P-256K signature into the lower half, once", () => {
    const n = secp256k1.Point.Fn.ORDER;
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: n - 1n }), (s) => {
        const normal = normalise("P-256K", rs(5n, s));
        expect(normal).to.deep.equal(Uint8Array.from(rs(5n, s > n / 2n ? n - s : s)));
        expect(normalise("P-256K", normal)).to.deep.equal(normal);
      }),
    );
  });

  it("leaves an s that is no scalar for verification to refuse", () => {
    const n = secp256k1.Point.Fn.ORDER;
    for (const s of [0n, n, n + 1n, 2n ** 256n - 1n]) expect(normalise("P-256K", rs(5n, s))).to.deep.equal(rs(5n, s));
  });

  it("refuses a signature that is not 64 bytes long", () => {
    expect(() => normalise("P-256K", new Uint8Array(65))).to.throw(EncodingError, "a signature has 64 bytes, not 65");
    expect(() => encodeSignature("P-256", new Uint8Array(63))).to.throw(EncodingError, "p2sig takes 64 bytes, not 63");
  });

  it("refuses texts that are no signature", () => {
    expect(() => decodeSignature("NetXdQprcVkpaWU")).to.throw(EncodingError, "expected sig, edsig, spsig1 or p2sig");
  });
});

describe("signature verification", () => {
  vectors.signatures.forEach(
    (
      { pk, message, signature, valid }: { pk: string; message: string; signature: string; valid: boolean },
      at: number,
    ) => {
      it(`${valid ? "accepts" : "refuses"} vector ${at + 1}, ${signature.slice(0, 8)}… by ${pk.slice(0, 8)}…`, () => {
        const digest = blake2b256(Buffer.from(message, "hex"));
        expect(verifySignature(publicKeyFromBase58(pk), digest, decodeSignature(signature).bytes)).to.equal(valid);
      });
    },
  );

  for (const curve of CURVES) {
    const secret = secretKeyFromBase58(SECRETS[curve]);
    const key = publicKeyOf(secret);
    const noble = NOBLE[curve];
    const digest = blake2b256(transfer());
    const sign = (value: Uint8Array) => noble.sign(value, secret.scalar, { prehash: false });
    const signature = sign(digest);

    it(`accepts what Taquito signs with ${curve}, and Taquito accepts the same`, async () => {
      const payload = transfer();
      const { prefixSig, sig } = await new InMemorySigner(SECRETS[curve]).sign(payload.toString("hex"));
      for (const text of [prefixSig, sig]) {
        expect(verifySignature(key, digest, decodeSignature(text).bytes)).to.equal(true);
      }
      const ours = encodeSignature(curve, decodeSignature(prefixSig).bytes);
      expect(ours).to.equal(prefixSig);
      expect(taquitoVerifies(payload.toString("hex"), key.base58, ours)).to.equal(true);
    });

    it(`agrees with an independent implementation on any signature and any one bit of it on ${curve}`, () => {
      const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
      const property = fc.property(bytes32, fc.integer({ min: -1, max: 511 }), (value, bit) => {
        const altered = Uint8Array.from(sign(value));
        if (bit >= 0) altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const theirs = noble.verify(altered, value, key.bytes, { prehash: false, lowS: curve === "P-256K" });
        expect(verifySignature(key, value, altered)).to.equal(theirs);
        expect(theirs).to.equal(bit < 0);
      });
      fc.assert(property, { numRuns: 60 });
    });

    it(`refuses a signature by the negated key on ${curve}`, () => {
      const negated = publicKeyFromPoint(curve, noble.Point.fromBytes(key.bytes).negate().toBytes(true));
      expect(verifySignature(negated, digest, signature)).to.equal(false);
    });

    it(`accepts a signature of the digest zero, and of one above the order, on ${curve}`, () => {
      for (const value of [new Uint8Array(32), new Uint8Array(32).fill(0xff)]) {
        expect(verifySignature(key, value, sign(value))).to.equal(true);
        expect(verifySignature(key, value.with(0, 1), sign(value))).to.equal(false);
      }
    });

    it(`refuses r and s outside [1, n - 1] on ${curve}`, () => {
      const n = noble.Point.Fn.ORDER;
      for (const [r, s] of [
        [0n, 1n],
        [1n, 0n],
        [n, 1n],
        [1n, n],
        [n + 1n, 1n],
        [0n, 0n],
      ] as const) {
        expect(verifySignature(key, digest, rs(r, s)), `${r} ${s}`).to.equal(false);
      }
    });

    it(`refuses digests and signatures of other lengths on ${curve}`, () => {
      expect(verifySignature(key, digest.subarray(1), signature)).to.equal(false);
      expect(verifySignature(key, digest, signature.subarray(1))).to.equal(false);
      expect(verifySignature(key, digest, Buffer.concat([signature, Buffer.from([0])]))).to.equal(false);
    });
  }

  it("accepts the mirrored signature on P-256 and refuses it on P-256K, as octez does", () => {
    for (const curve of CURVES) {
      const secret = secretKeyFromBase58(SECRETS[curve]);
      const digest = blake2b256(transfer());
      const low = NOBLE[curve].sign(digest, secret.scalar, { prehash: false, lowS: true });
      expect(verifySignature(publicKeyOf(secret), digest, low), curve).to.equal(true);
      expect(verifySignature(publicKeyOf(secret), digest, mirrored(curve, low)), curve).to.equal(curve === "P-256");
    }
  });

  it("accepts what OpenSSL signs, over the digest that OpenSSL made", () => {
    const secret = secretKeyFromBase58(SECRETS["P-256"]);
    const point = p256.getPublicKey(secret.scalar, false);
    const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
    const [d, x, y] = [secret.scalar, point.subarray(1, 33), point.subarray(33)].map(base64url);
    const key = createPrivateKey({ key: { kty: "EC", crv: "P-256", d, x, y } as JsonWebKey, format: "jwk" });
    const message = Buffer.from("a message");
    const signature = opensslSign("sha256", message, { key, dsaEncoding: "ieee-p1363" });
    const digest = createHash("sha256").update(message).digest();
    expect(verifySignature(publicKeyOf(secret), digest, signature)).to.equal(true);
  });
});
