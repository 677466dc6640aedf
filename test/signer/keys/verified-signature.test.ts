import { expect } from "chai";
import { SignerError } from "../../../signer/errors.ts";
import { PrivateKey } from "../../../signer/key-files/private-key.ts";
import { signVerified } from "../../../signer/keys/verified-signature.ts";
import type { Curve } from "../../../signer/tezos/crypto/curve.ts";
import { order } from "../../../signer/tezos/crypto/curve.ts";
import { rejection } from "../../harness/rejection.ts";

const digest = Buffer.alloc(32, 7);
const { signal } = new AbortController();

/** r || n - s. */
function mirrored(curve: Curve, signature: Uint8Array): Uint8Array {
  const s = order(curve) - BigInt(`0x${Buffer.from(signature.subarray(32)).toString("hex")}`);
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex")]);
}

describe("a verified signature", () => {
  for (const curve of ["P-256", "P-256K"] as const) {
    const key = PrivateKey.generate(curve);
    const other = PrivateKey.generate(curve);
    const by = (answer: Uint8Array) =>
      signVerified({ publicKey: key.publicKey, location: "the test", sign: async () => answer }, digest, signal);

    it(`is one of ${curve}, in either form that the backend gives it, and low-S for tz2`, async () => {
      const made = key.sign(digest);
      const forms = [made, mirrored(curve, made)];
      const out = (await Promise.all(forms.map(by))).map((each) => Buffer.from(each).toString("hex"));
      expect(new Set(out).size).to.equal(curve === "P-256K" ? 1 : 2);
      if (curve === "P-256K") expect(Number.parseInt(out[0]?.slice(64, 66) ?? "", 16)).to.be.below(0x80);
    });

    it(`leaves in no other form of ${curve}: another key's, another digest's, a bit turned, a length of its own`, async () => {
      const made = key.sign(digest);
      const turned = Uint8Array.from(made);
      turned[63] = (turned[63] ?? 0) ^ 1;
      const wrong = {
        "another key's": other.sign(digest),
        "another digest's": key.sign(Buffer.alloc(32, 8)),
        "a bit turned": turned,
        "63 bytes": made.subarray(1),
        "65 bytes": Buffer.concat([made, Buffer.alloc(1)]),
        nothing: new Uint8Array(),
        zeros: new Uint8Array(64),
        "the order as s": Buffer.concat([
          made.subarray(0, 32),
          Buffer.from(order(curve).toString(16).padStart(64, "0"), "hex"),
        ]),
      };
      for (const [what, answer] of Object.entries(wrong)) {
        const error = await rejection(by(answer), SignerError);
        expect(error.code, what).to.equal("signature-invalid");
        expect(error.message, what).to.contain("the test answered");
      }
    });
  }
});
