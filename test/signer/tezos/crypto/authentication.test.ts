import { InMemorySigner } from "@taquito/signer";
import { expect } from "chai";
import { authenticationBytes, verifyAuthentication } from "../../../../signer/tezos/crypto/authentication.ts";
import { decode, EncodingError } from "../../../../signer/tezos/crypto/base58.ts";
import { attestation, OTHER, preattestation, SOURCE } from "../../../fixtures/payloads.ts";

/** Published test keys of each kind; Taquito signs with them as an octez client does. */
const CLIENTS = {
  tz1: "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh",
  tz2: "spsk1XYsTqUsd7LaLs9a8qpmCvLVJeLEZEXkeAZS5dwcKgUZhv3cYw",
  tz3: "p2sk2rUMnnnFPQCB7DBozkCZrFhiZ87ddrpAHbRcww7dwU2WHYUbci",
};

describe("client authentication", () => {
  const payload = attestation();

  it("puts 04 01, the key asked for and the payload one behind the other", () => {
    const hex = Buffer.from(authenticationBytes(SOURCE, Buffer.from("13ff", "hex"))).toString("hex");
    expect(hex).to.equal(`040102${Buffer.from(decode(SOURCE, "tz3").bytes).toString("hex")}13ff`);
  });

  for (const [kind, secret] of Object.entries(CLIENTS)) {
    describe(`by a ${kind} key`, () => {
      const signer = new InMemorySigner(secret);
      async function signed() {
        const bytes = Buffer.from(authenticationBytes(SOURCE, payload)).toString("hex");
        const { prefixSig, sig } = await signer.sign(bytes);
        return { key: await signer.publicKey(), own: prefixSig, generic: sig };
      }

      it("is accepted in its own form and in the generic one", async () => {
        const { key, own, generic } = await signed();
        expect(verifyAuthentication(key, own, SOURCE, payload)).to.equal(true);
        expect(verifyAuthentication(key, generic, SOURCE, payload)).to.equal(true);
      });

      it("is refused for another payload", async () => {
        const { key, own } = await signed();
        expect(verifyAuthentication(key, own, SOURCE, preattestation())).to.equal(false);
      });

      it("is refused for another signing key", async () => {
        const { key, own } = await signed();
        expect(verifyAuthentication(key, own, OTHER, payload)).to.equal(false);
      });

      it("is refused under another client's key", async () => {
        const { own, generic } = await signed();
        for (const other of Object.values(CLIENTS).filter((text) => text !== secret)) {
          const key = await new InMemorySigner(other).publicKey();
          expect(verifyAuthentication(key, own, SOURCE, payload)).to.equal(false);
          expect(verifyAuthentication(key, generic, SOURCE, payload)).to.equal(false);
        }
      });

      it("is refused when it is a signature of the payload alone", async () => {
        const { prefixSig } = await signer.sign(payload.toString("hex"));
        expect(verifyAuthentication(await signer.publicKey(), prefixSig, SOURCE, payload)).to.equal(false);
      });

      it("is refused when it is no signature", async () => {
        const key = await signer.publicKey();
        for (const text of ["", "sig", "edsigxxx", key, SOURCE, "x".repeat(5000)]) {
          expect(verifyAuthentication(key, text, SOURCE, payload), text.slice(0, 10)).to.equal(false);
        }
      });
    });
  }

  it("throws for a public key or an address that is none", () => {
    expect(() => verifyAuthentication("edpk", "", SOURCE, payload)).to.throw(
      EncodingError,
      "expected edpk, sppk or p2pk",
    );
    expect(() => authenticationBytes("KT1", payload)).to.throw(EncodingError, "expected tz1, tz2, tz3 or tz4");
  });
});
