import { getPkhfromPk } from "@taquito/utils";
import { expect } from "chai";
import fc from "fast-check";
import { EncodingError } from "../../../../signer/tezos/crypto/base58.ts";
import {
  publicKeyFromBase58,
  publicKeyFromJwk,
  publicKeyFromPoint,
} from "../../../../signer/tezos/crypto/public-key.ts";
import { encodeSecretKey, publicKeyOf, secretKeyFromBase58 } from "../../../../signer/tezos/crypto/secret-key.ts";
import { vectors } from "../../../fixtures/vectors.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const P256 = vectors.keys.find(({ pkh }: { pkh: string }) => pkh.startsWith("tz3"));
const jwk = P256.azure_jwk_2019;

describe("public keys", () => {
  for (const { pkh, pk, compressed, uncompressed, jwk: plain, azure_jwk_2019: old } of vectors.keys) {
    it(`gives ${pkh} from its key in every form`, () => {
      const key = publicKeyFromBase58(pk);
      expect({ address: key.address, bytes: hex(key.bytes) }).to.deep.equal({ address: pkh, bytes: compressed });
      expect(publicKeyFromJwk(plain ?? old)).to.deep.equal(key);
      expect(publicKeyFromPoint(key.curve, Buffer.from(compressed, "hex"))).to.deep.equal(key);
      if (uncompressed !== undefined) {
        expect(publicKeyFromPoint(key.curve, Buffer.from(uncompressed, "hex"))).to.deep.equal(key);
      }
      expect(getPkhfromPk(pk)).to.equal(pkh);
    });
  }

  it("reads coordinates given as bytes, as Key Vault's SDK gives them", () => {
    const [x, y] = [jwk.x, jwk.y].map((text: string) => Uint8Array.from(Buffer.from(text, "base64")));
    expect(publicKeyFromJwk({ crv: "P-256", x, y }).address).to.equal(P256.pkh);
  });

  it("reads P-256K under its older names", () => {
    const { azure_jwk_2019: old, pkh } = vectors.keys.find(({ pkh }: { pkh: string }) => pkh.startsWith("tz2"));
    for (const crv of ["P-256K", "SECP256K1", "secp256k1"]) {
      expect(publicKeyFromJwk({ ...old, crv }).address, crv).to.equal(pkh);
    }
  });

  for (const crv of ["P-384", "P-521", "Ed25519", "", "constructor", undefined]) {
    it(`refuses a key on ${crv ?? "no curve"}`, () => {
      expect(() => publicKeyFromJwk({ ...jwk, crv })).to.throw(
        EncodingError,
        "a Tezos key is on P-256 (tz3) or P-256K",
      );
    });
  }

  it("refuses a coordinate that is missing or has another length", () => {
    expect(() => publicKeyFromJwk({ ...jwk, y: undefined })).to.throw(EncodingError, "the key has no coordinate y");
    expect(() => publicKeyFromJwk({ ...jwk, x: jwk.x.slice(4) })).to.throw(
      EncodingError,
      "coordinate x must be 32 bytes",
    );
  });

  it("refuses a point that is not on the curve", () => {
    expect(() => publicKeyFromJwk({ ...jwk, y: jwk.x })).to.throw(EncodingError, "no point of P-256");
    expect(() => publicKeyFromJwk({ ...jwk, crv: "P-256K" })).to.throw(EncodingError, "no point of P-256K");
  });

  it("refuses the point at infinity and empty bytes", () => {
    for (const bytes of [new Uint8Array(1), new Uint8Array(33), new Uint8Array(65), new Uint8Array(0)]) {
      expect(() => publicKeyFromPoint("P-256", bytes)).to.throw(EncodingError);
    }
  });

  it("refuses keys of other kinds by name", () => {
    expect(() => publicKeyFromBase58("edpkthKSgqEffKMjuAqPfuAEJinqwC16RQMjyyqttLkFDQaShXBLak")).to.throw(
      EncodingError,
      "expected sppk or p2pk in base58check, but this is edpk",
    );
  });
});

describe("secret keys", () => {
  for (const { sk, pk, seed } of vectors.keys) {
    if (sk === undefined) continue;
    it(`reads ${sk.slice(0, 8)}… and gives its public key`, () => {
      const key = secretKeyFromBase58(sk);
      if (seed !== undefined) expect(hex(key.scalar)).to.equal(seed);
      expect(publicKeyOf(key).base58).to.equal(pk);
      expect(encodeSecretKey(key)).to.equal(sk);
    });
  }

  it("reads back every scalar that it writes", () => {
    const scalar = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => bytes.with(0, (bytes[0] ?? 0) & 0x7f));
    const property = fc.property(scalar, fc.constantFrom("P-256" as const, "P-256K" as const), (bytes, curve) => {
      fc.pre(bytes.some((byte) => byte !== 0));
      expect(secretKeyFromBase58(encodeSecretKey({ curve, scalar: bytes }))).to.deep.equal({ curve, scalar: bytes });
    });
    fc.assert(property);
  });

  const zero = new Uint8Array(32);
  const n = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
  for (const [what, scalar] of [
    ["zero", zero],
    ["the curve's order", n],
    ["31 bytes", zero.subarray(1)],
  ] as const) {
    it(`refuses ${what} as a scalar`, () => {
      expect(() => encodeSecretKey({ curve: "P-256", scalar })).to.throw(EncodingError, "a private key of P-256 is 32");
    });
  }
});
