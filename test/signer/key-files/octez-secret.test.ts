import { pbkdf2Sync, randomBytes } from "node:crypto";
import { secretbox } from "@noble/ciphers/salsa.js";
import { InMemorySigner } from "@taquito/signer";
import { expect } from "chai";
import { KeyError } from "../../../signer/key-files/key-error.ts";
import { looksLikeOctezSecret, openOctezSecret, parseOctezSecret } from "../../../signer/key-files/octez-secret.ts";
import { PrivateKey } from "../../../signer/key-files/private-key.ts";
import { encode } from "../../../signer/tezos/crypto/base58.ts";
import { vectors } from "../../fixtures/vectors.ts";

/** Reads and opens a key. */
const open = (text: string, passphrase = "") => openOctezSecret(parseOctezSecret(text), Buffer.from(passphrase));

async function problem(text: string, passphrase = "right"): Promise<string> {
  try {
    (await open(text, passphrase))[Symbol.dispose]();
    return "none";
  } catch (error) {
    if (error instanceof KeyError) return error.problem;
    throw error;
  }
}

/** A key encrypted as octez-client does it; Taquito says whether that is so. */
function encrypted(key: PrivateKey, passphrase: string): string {
  const salt = randomBytes(8);
  const derived = pbkdf2Sync(passphrase, salt, 32_768, 32, "sha512");
  const box = key.withScalar((scalar) => secretbox(derived, new Uint8Array(24)).seal(scalar));
  return encode(key.publicKey.curve === "P-256" ? "p2esk" : "spesk", Buffer.concat([salt, box]));
}

describe("octez secret keys", () => {
  it("opens the published unencrypted keys", async () => {
    const keys = vectors.keys.filter((key: { sk?: string }) => key.sk !== undefined);
    expect(keys.length).to.be.greaterThan(10);
    for (const { sk, pkh } of keys) {
      expect((await open(sk)).publicKey.address).to.equal(pkh);
    }
  });

  it("opens the published encrypted key", async () => {
    const { encrypted_sk, encrypted_password, pkh } = vectors.keys.find((key: object) => "encrypted_sk" in key);
    const key = await open(encrypted_sk, encrypted_password);
    expect(key.publicKey.address).to.equal(pkh);
  });

  for (const curve of ["P-256", "P-256K"] as const) {
    it(`opens encrypted ${curve} keys that Taquito opens, to the same address`, async () => {
      using key = PrivateKey.generate(curve);
      const text = encrypted(key, "right");
      const taquito = await InMemorySigner.fromSecretKey(text, "right");
      const ours = await open(text, "right");
      expect(ours.publicKey.address).to.equal(await taquito.publicKeyHash());
      expect(await problem(text, "wrong")).to.equal("wrong-passphrase");
    });
  }

  it("takes the forms of octez's wallet file", async () => {
    using key = PrivateKey.generate("P-256");
    expect(await problem(`encrypted:${encrypted(key, "right")}\n`)).to.equal("none");
    const { sk } = vectors.keys.find((key: { sk?: string }) => key.sk !== undefined);
    expect(await problem(`unencrypted:${sk}`)).to.equal("none");
  });

  it("knows secret keys, and which take a passphrase", () => {
    using key = PrivateKey.generate("P-256K");
    expect(looksLikeOctezSecret(encrypted(key, "right"))).to.equal(true);
    expect(parseOctezSecret(encrypted(key, "right")).isEncrypted).to.equal(true);
    const { sk } = vectors.keys.find((key: { sk?: string }) => key.sk !== undefined);
    expect(looksLikeOctezSecret(sk)).to.equal(true);
    expect(parseOctezSecret(sk).isEncrypted).to.equal(false);
    expect(looksLikeOctezSecret(key.publicKey.base58)).to.equal(false);
  });

  it("refuses keys of tz1 and tz4, saying which they are", async () => {
    expect(await problem(encode("edsk", Buffer.alloc(32, 1)))).to.equal("wrong-kind");
    expect(await problem(encode("edesk", Buffer.alloc(56, 1)))).to.equal("wrong-kind");
    expect(await problem(encode("BLsk", Buffer.alloc(32, 1)))).to.equal("wrong-kind");
  });

  it("refuses a mistyped key without repeating it", async () => {
    const { sk } = vectors.keys.find((key: { sk?: string }) => key.sk !== undefined);
    const mistyped = `${sk.slice(0, -1)}${sk.endsWith("1") ? "2" : "1"}`;
    try {
      await open(mistyped);
      expect.fail("it opened");
    } catch (error) {
      expect(error).to.be.instanceOf(KeyError);
      expect(String(error)).not.to.include(mistyped.slice(4, 12));
    }
  });
});
