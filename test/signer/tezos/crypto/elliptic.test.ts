import { createRequire } from "node:module";
import { expect } from "chai";
import fc from "fast-check";
import { order } from "../../../../signer/tezos/crypto/curve.ts";
import { publicKeyFromJwk, publicKeyFromPoint } from "../../../../signer/tezos/crypto/public-key.ts";
import { publicKeyOf } from "../../../../signer/tezos/crypto/secret-key.ts";
import { normalise, verifySignature } from "../../../../signer/tezos/crypto/signature.ts";

/** What is used of elliptic, which has no types of its own. */
interface Elliptic {
  readonly ec: new (curve: "p256" | "secp256k1") => EllipticCurve;
}

interface EllipticCurve {
  keyFromPrivate(scalar: Uint8Array): EllipticKey;
}

interface EllipticKey {
  getPublic(compressed: boolean, encoding: "array"): number[];
  sign(digest: Uint8Array, options: { canonical: boolean }): Record<"r" | "s", { toString(base: 16): string }>;
  verify(digest: Uint8Array, signature: Record<"r" | "s", string>): boolean;
}

/**
 * A second oracle: elliptic's arithmetic shares nothing with what signer/ stands on. It comes with Taquito
 * and stays in the tests, for it has an advisory without a fix.
 */
const { ec: EC } = createRequire(import.meta.url)("elliptic") as Elliptic;

const CURVES = [
  { curve: "P-256", oracle: new EC("p256") },
  { curve: "P-256K", oracle: new EC("secp256k1") },
] as const;

const DIGEST = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (number: bigint) => Buffer.from(number.toString(16).padStart(64, "0"), "hex");

/** What elliptic says of r || s. */
function accepts(key: EllipticKey, digest: Uint8Array, signature: Uint8Array): boolean {
  return key.verify(digest, { r: hex(signature.subarray(0, 32)), s: hex(signature.subarray(32)) });
}

/** Turns one bit. */
function turned(original: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(original);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

for (const { curve, oracle } of CURVES) {
  describe(`elliptic and the signer on ${curve}`, function () {
    this.timeout(60_000);
    const n = order(curve);
    const scalar = fc.bigInt({ min: 1n, max: n - 1n });
    /** elliptic takes milliseconds a signature. */
    const keys = { numRuns: 6 };
    const digests = fc.array(DIGEST, { minLength: 4, maxLength: 4 });

    /** One key in both. */
    function both(secret: bigint) {
      return { theirs: oracle.keyFromPrivate(bytes(secret)), ours: publicKeyOf({ curve, scalar: bytes(secret) }) };
    }

    /** elliptic's signature with s in the half that is asked for. */
    function signed(key: EllipticKey, digest: Uint8Array, half: "low" | "high"): Buffer {
      const { r, s } = key.sign(digest, { canonical: true });
      const low = BigInt(`0x${s.toString(16)}`);
      return Buffer.concat([bytes(BigInt(`0x${r.toString(16)}`)), bytes(half === "low" ? low : n - low)]);
    }

    /** Both must refuse. */
    function refused({ theirs, ours }: ReturnType<typeof both>, digest: Uint8Array, signature: Uint8Array): void {
      expect(accepts(theirs, digest, signature)).to.equal(false);
      expect(verifySignature(ours, digest, signature)).to.equal(false);
    }

    it("make the same public key of a secret, from a point in either form and from a JWK", () => {
      fc.assert(
        fc.property(scalar, (secret) => {
          const key = oracle.keyFromPrivate(bytes(secret));
          const compressed = Uint8Array.from(key.getPublic(true, "array"));
          const point = Uint8Array.from(key.getPublic(false, "array"));
          const jwk = { crv: curve, x: point.subarray(1, 33), y: point.subarray(33) };
          const ours = publicKeyOf({ curve, scalar: bytes(secret) });
          expect(hex(ours.bytes)).to.equal(hex(compressed));
          for (const same of [publicKeyFromPoint(curve, point), publicKeyFromJwk(jwk)]) {
            expect(same).to.deep.equal(ours);
          }
        }),
        { numRuns: 25 },
      );
    });

    it("accept the same signatures, of which Tezos takes the low half alone for tz2", () => {
      fc.assert(
        fc.property(scalar, digests, (secret, several) => {
          const { theirs, ours } = both(secret);
          for (const digest of several) {
            for (const half of ["low", "high"] as const) {
              const signature = signed(theirs, digest, half);
              const normal = normalise(curve, signature);
              expect(accepts(theirs, digest, signature)).to.equal(true);
              expect(accepts(theirs, digest, normal)).to.equal(true);
              expect(verifySignature(ours, digest, signature)).to.equal(curve === "P-256" || half === "low");
              expect(verifySignature(ours, digest, normal)).to.equal(true);
            }
          }
        }),
        keys,
      );
    });

    it("refuse a signature of another digest, or with a bit turned", () => {
      const bits = fc.record({ digest: fc.nat(255), signature: fc.nat(511) });
      fc.assert(
        fc.property(scalar, fc.array(fc.tuple(DIGEST, bits), { minLength: 5, maxLength: 5 }), (secret, several) => {
          const key = both(secret);
          for (const [digest, bit] of several) {
            const signature = signed(key.theirs, digest, "low");
            refused(key, turned(digest, bit.digest), signature);
            refused(key, digest, turned(signature, bit.signature));
          }
        }),
        keys,
      );
    });

    it("refuse a signature by another key, and by the negated one, whose point has the same x", () => {
      fc.assert(
        fc.property(scalar, scalar, digests, (secret, other, several) => {
          fc.pre(other !== secret);
          const { theirs } = both(secret);
          for (const stranger of [both(other), both(n - secret)]) {
            for (const digest of several) refused(stranger, digest, signed(theirs, digest, "low"));
          }
        }),
        keys,
      );
    });

    it("refuse r or s of zero, of the order and above", () => {
      const key = both(7n);
      const digest = new Uint8Array(32).fill(1);
      const signature = signed(key.theirs, digest, "low");
      for (const out of [0n, n, n + 1n, 2n ** 256n - 1n]) {
        refused(key, digest, Buffer.concat([bytes(out), signature.subarray(32)]));
        refused(key, digest, Buffer.concat([signature.subarray(0, 32), bytes(out)]));
      }
    });
  });
}
