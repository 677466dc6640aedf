import { createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { KeyError } from "../../../signer/key-files/key-error.ts";
import { decryptPem, encryptPem, parsePem, pemLabel } from "../../../signer/key-files/pem.ts";
import { PrivateKey } from "../../../signer/key-files/private-key.ts";
import type { Curve } from "../../../signer/tezos/crypto/curve.ts";
import { vectors } from "../../fixtures/vectors.ts";
import { OPENSSL_CURVES, openssl, shell } from "../../harness/openssl.ts";

const passphrase = Buffer.from("correct horse battery staple");

/** The problem that a function throws. */
function problem(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof KeyError) return error.problem;
    throw error;
  }
  return "none";
}

describe("encrypted PEM", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "tezos-signer-pem-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  for (const curve of Object.keys(OPENSSL_CURVES) as Curve[]) {
    it(`opens again to the same ${curve} key`, async () => {
      using key = PrivateKey.generate(curve);
      using again = decryptPem(await encryptPem(key, passphrase), passphrase);
      expect(again.publicKey).to.deep.equal(key.publicKey);
      expect(again.toPkcs8().equals(key.toPkcs8())).to.equal(true);
    });

    it(`is a valid ${curve} key to "openssl ec -check" and to node:crypto`, async () => {
      using key = PrivateKey.generate(curve);
      const pem = await encryptPem(key, passphrase);
      const file = join(directory, `${curve}.pem`);
      writeFileSync(file, pem);
      const said = openssl(["ec", "-check", "-in", file, "-passin", `pass:${passphrase}`]);
      expect(said.toString()).to.include("EC PRIVATE KEY");
      const pkcs8 = createPrivateKey({ key: pem, passphrase }).export({ type: "pkcs8", format: "der" });
      expect(pkcs8.equals(key.toPkcs8())).to.equal(true);
    });

    for (const [form, make] of [
      ["plain PKCS#8", `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:${OPENSSL_CURVES[curve]}`],
      ["plain EC, after its parameters", `openssl ecparam -genkey -name ${OPENSSL_CURVES[curve]}`],
      [
        "the guide's `openssl ec -aes256`",
        `openssl ecparam -genkey -name ${OPENSSL_CURVES[curve]} | openssl ec -aes256 -passout "pass:$0"`,
      ],
      [
        "PBES2 with PBKDF2",
        `openssl ecparam -genkey -noout -name ${OPENSSL_CURVES[curve]} | openssl pkcs8 -topk8 -v2 aes128 -iter 9 -passout "pass:$0"`,
      ],
    ] as const) {
      it(`reads OpenSSL's ${curve} key: ${form}`, () => {
        const pem = shell(make, passphrase.toString());
        using key = decryptPem(pem.toString(), passphrase);
        const expected = openssl(
          ["ec", "-passin", `pass:${passphrase}`, "-pubout", "-outform", "DER", "-conv_form", "compressed"],
          pem,
        );
        expect(Buffer.from(key.publicKey.bytes).equals(expected.subarray(-33))).to.equal(true);
      });
    }
  }

  it("derives the encryption key by scrypt with 2^14, 8, 5 and encrypts by AES-256-CBC", async () => {
    using key = PrivateKey.generate("P-256");
    const der = openssl(["asn1parse"], await encryptPem(key, passphrase)).toString();
    const words = [...der.matchAll(/(?:OBJECT|INTEGER) +:(\S+)/g)].map((match) => match[1]);
    expect(words).to.deep.equal(["PBES2", "scrypt", "4000", "08", "05", "aes-256-cbc"]);
  });

  it("takes a fresh salt and initialisation vector each time", async () => {
    using key = PrivateKey.generate("P-256");
    expect(await encryptPem(key, passphrase)).not.to.equal(await encryptPem(key, passphrase));
  });

  it("carries its address and public key as text above the block", async () => {
    using key = PrivateKey.generate("P-256K");
    const { address, base58 } = key.publicKey;
    expect(pemLabel(await encryptPem(key, passphrase))).to.deep.equal({ address, base58 });
  });

  it("knows which files take a passphrase", async () => {
    using key = PrivateKey.generate("P-256");
    expect(parsePem(await encryptPem(key, passphrase)).isEncrypted).to.equal(true);
    const make = "openssl ecparam -genkey -name secp256k1";
    expect(parsePem(shell(`${make} | openssl ec -aes256 -passout pass:x`).toString()).isEncrypted).to.equal(true);
    expect(parsePem(shell(make).toString()).isEncrypted).to.equal(false);
  });

  it("calls every wrong passphrase wrong, also where the padding happens to fit", () => {
    // PBKDF2 of one round: fast enough for the one in 256 that decrypts to good padding.
    const make = "openssl ecparam -genkey -noout -name secp256k1 | openssl pkcs8 -topk8 -iter 1 -passout pass:right";
    const pem = shell(make).toString();
    for (let guess = 0; guess < 1500; guess++) {
      expect(problem(() => decryptPem(pem, Buffer.from(`wrong ${guess}`)))).to.equal("wrong-passphrase");
    }
  });

  it("calls a file cut short anywhere unreadable, not a wrong passphrase", async () => {
    using key = PrivateKey.generate("P-256");
    const pem = (await encryptPem(key, passphrase)).trimEnd();
    for (let length = 0; length < pem.length; length += 7) {
      expect(
        problem(() => decryptPem(pem.slice(0, length), passphrase)),
        String(length),
      ).to.equal("unreadable");
    }
    const lines = pem.split("\n");
    lines.splice(4, 1);
    expect(problem(() => decryptPem(lines.join("\n"), passphrase))).to.equal("unreadable");
  });

  it("refuses other curves, other algorithms and spelled-out parameters", () => {
    for (const make of [
      "openssl ecparam -genkey -name secp384r1 -noout",
      "openssl genpkey -algorithm ed25519",
      "openssl ecparam -genkey -name prime256v1 -param_enc explicit -noout",
    ]) {
      const pem = shell(make).toString();
      expect(
        problem(() => decryptPem(pem, passphrase)),
        make,
      ).to.equal("wrong-kind");
    }
  });

  it("refuses a key whose public point is not that of its secret", () => {
    using one = PrivateKey.generate("P-256");
    using other = PrivateKey.generate("P-256");
    const mixed = Buffer.concat([one.toPkcs8().subarray(0, -65), other.toPkcs8().subarray(-65)]);
    const pem = `-----BEGIN PRIVATE KEY-----\n${mixed.toString("base64")}\n-----END PRIVATE KEY-----\n`;
    expect(problem(() => decryptPem(pem, passphrase))).to.equal("unreadable");
  });

  it("gives the addresses of the public vectors", () => {
    const keys = vectors.keys.filter((key: { seed?: string }) => key.seed !== undefined);
    expect(keys.length).to.be.greaterThan(8);
    for (const { seed, jwk, pkh, pk } of keys) {
      using key = new PrivateKey(jwk.crv, Buffer.from(seed, "hex"));
      expect([key.publicKey.address, key.publicKey.base58]).to.deep.equal([pkh, pk]);
    }
  });

  it("wipes the secret when disposed of", () => {
    const scalar = Buffer.alloc(32, 7);
    new PrivateKey("P-256", scalar)[Symbol.dispose]();
    expect(scalar.equals(Buffer.alloc(32))).to.equal(true);
  });
});
