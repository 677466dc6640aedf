import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { expect } from "chai";
import { EC_PARAMS, readPublicKey } from "../../../../signer/keys/pkcs11/ec-key.ts";
import { EncodingError } from "../../../../signer/tezos/crypto/base58.ts";

const CURVES = { "P-256": p256, "P-256K": secp256k1 } as const;

/** A DER OCTET STRING. */
const wrapped = (content: Uint8Array) => Buffer.concat([Uint8Array.of(0x04, content.length), content]);

describe("a public key as a token shows it", () => {
  for (const [curve, { Point }] of Object.entries(CURVES) as [
    keyof typeof CURVES,
    (typeof CURVES)[keyof typeof CURVES],
  ][]) {
    it(`is the same in DER and bare, compressed and not, for any key of ${curve}`, () => {
      // Multiples of the base point: their first bytes run through many values, those of DER's tags among them.
      for (let multiple = 1n; multiple <= 300n; multiple += 1n) {
        const point = Point.BASE.multiply(multiple);
        const forms = [true, false].flatMap((compressed) => [
          point.toBytes(compressed),
          wrapped(point.toBytes(compressed)),
        ]);
        const addresses = forms.map((form) => readPublicKey(EC_PARAMS[curve], form).address);
        expect(new Set(addresses).size, `multiple ${multiple}`).to.equal(1);
      }
    });
  }

  it("is refused on another curve, off its curve, cut short, and with bytes after its end", () => {
    const point = p256.Point.BASE.toBytes(false);
    const secp384r1 = Buffer.from("06052b81040022", "hex");
    expect(() => readPublicKey(secp384r1, point)).to.throw(EncodingError, "06052b81040022");
    expect(() => readPublicKey(new Uint8Array(), point)).to.throw(EncodingError);
    for (const bytes of [point.subarray(1), point.subarray(0, 64), Buffer.concat([wrapped(point), Uint8Array.of(0)])]) {
      expect(() => readPublicKey(EC_PARAMS["P-256"], bytes)).to.throw(EncodingError);
    }
    expect(() => readPublicKey(EC_PARAMS["P-256K"], wrapped(point))).to.throw(EncodingError, "no point of P-256K");
  });
});
