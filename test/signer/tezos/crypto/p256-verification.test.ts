import { createHash } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { expect } from "chai";
import fc from "fast-check";
import { verifyOnP256 } from "../../../../signer/tezos/crypto/p256-verification.ts";

const { Fn, BASE } = p256.Point;
const scalar = fc.bigInt({ min: 1n, max: Fn.ORDER - 1n });
const bytes = (number: bigint) => Buffer.from(number.toString(16).padStart(64, "0"), "hex");
const integer = (value: Uint8Array) => BigInt(`0x${Buffer.from(value).toString("hex")}`);
/** The hash of the message that OpenSSL is asked about. */
const hash = integer(createHash("sha256").update("tezos-signer").digest());

/** Signs the digest z with the secret d and the nonce k, as FIPS 186-5 6.4.1 has it. */
function signed(z: bigint, d: bigint, k: bigint) {
  const r = Fn.create(BASE.multiply(k).toAffine().x);
  const s = Fn.mul(Fn.add(Fn.create(z), Fn.mul(r, d)), Fn.inv(k));
  return { r, signature: Buffer.concat([bytes(r), bytes(s)]), digest: bytes(z) };
}

/** What both say of a signature; noble's arithmetic is the oracle. */
function verdicts(d: bigint, digest: Uint8Array, signature: Uint8Array): [ours: boolean, theirs: boolean] {
  const key = BASE.multiply(d);
  return [
    verifyOnP256(key.toAffine(), digest, signature),
    p256.verify(signature, digest, key.toBytes(true), { prehash: false, lowS: false }),
  ];
}

describe("verification on P-256 by a shifted key", () => {
  it("says what an independent implementation says of any key, nonce and digest, and of any one bit of them", () => {
    const bit = fc.integer({ min: -1, max: 767 });
    fc.assert(
      fc.property(scalar, scalar, fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), bit, (d, k, z, at) => {
        const { signature, digest } = signed(z, d, k);
        const both = Buffer.concat([digest, signature]);
        if (at >= 0) both[at >> 3] = (both[at >> 3] ?? 0) ^ (1 << (at & 7));
        const [r, s] = [integer(both.subarray(32, 64)), integer(both.subarray(64))];
        fc.pre(r > 0n && r < Fn.ORDER && s > 0n && s < Fn.ORDER);
        const [ours, theirs] = verdicts(d, both.subarray(0, 32), both.subarray(32));
        expect(ours).to.equal(theirs);
        expect(theirs).to.equal(at < 0);
      }),
      { numRuns: 200 },
    );
  });

  it("accepts a digest that is the hash of its own message, which shifts nothing, and refuses its neighbour", () => {
    for (const z of [hash, hash + Fn.ORDER].filter((value) => value < 2n ** 256n)) {
      const { signature, digest } = signed(z, 5n, 7n);
      expect(verdicts(5n, digest, signature)).to.deep.equal([true, true]);
      expect(verdicts(5n, bytes(hash + 1n), signature)).to.deep.equal([false, false]);
    }
  });

  it("accepts a digest that shifts the key by itself, or to infinity, as only the key's owner can make them", () => {
    fc.assert(
      fc.property(scalar, scalar, fc.constantFrom(1n, -1n), (d, k, sign) => {
        const r = Fn.create(BASE.multiply(k).toAffine().x);
        const z = Fn.add(hash, Fn.mul(r, Fn.create(sign * d)));
        fc.pre(Fn.add(z, Fn.mul(r, d)) !== 0n);
        const { signature, digest } = signed(z, d, k);
        expect(verdicts(d, digest, signature)).to.deep.equal([true, true]);
        expect(verdicts(d, digest.with(0, (digest[0] ?? 0) ^ 1), signature)).to.deep.equal([false, false]);
      }),
      { numRuns: 20 },
    );
  });

  it("refuses a signature by the negated key, whose points have the same x", () => {
    fc.assert(
      fc.property(scalar, scalar, scalar, (d, k, z) => {
        const { signature, digest } = signed(z, d, k);
        expect(verdicts(Fn.neg(d), digest, signature)).to.deep.equal([false, false]);
      }),
      { numRuns: 30 },
    );
  });
});
