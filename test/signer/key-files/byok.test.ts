import { constants, generateKeyPairSync, hash, privateDecrypt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { checkBlobLength, formatKek, parseBlob, parseKek, wrapKey } from "../../../signer/key-files/byok.ts";
import { KeyError } from "../../../signer/key-files/key-error.ts";
import { PrivateKey, subjectPublicKeyInfo } from "../../../signer/key-files/private-key.ts";
import { openssl } from "../../harness/openssl.ts";

const kid = "https://example.vault.azure.net/keys/import-kek/0123456789abcdef0123456789abcdef";
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwk = pair.publicKey.export({ format: "jwk" });
const kekFile = formatKek({
  kid,
  kty: "RSA-HSM",
  key_ops: ["import"],
  n: Buffer.from(jwk.n ?? "", "base64url"),
  e: Buffer.from(jwk.e ?? "", "base64url"),
});
const kek = parseKek(kekFile);

function problem(act: () => unknown): string {
  try {
    act();
    return "none";
  } catch (error) {
    if (error instanceof KeyError) return error.problem;
    throw error;
  }
}

describe("BYOK blob", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "tezos-signer-byok-"));
    writeFileSync(join(directory, "kek.pem"), pair.privateKey.export({ type: "pkcs8", format: "pem" }));
  });
  after(() => rmSync(directory, { recursive: true }));

  for (const curve of ["P-256", "P-256K"] as const) {
    it(`is unwrapped by OpenSSL to the ${curve} key`, () => {
      using key = PrivateKey.generate(curve);
      const { ciphertext } = parseBlob(wrapKey(key, kek));
      const oaep = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1"];
      const aes = openssl(
        ["pkeyutl", "-decrypt", "-inkey", join(directory, "kek.pem"), ...oaep],
        ciphertext.subarray(0, 256),
      );
      expect(aes.length).to.equal(32);
      const pkcs8 = openssl(
        ["enc", "-d", "-id-aes256-wrap-pad", "-K", aes.toString("hex"), "-iv", "A65959A6"],
        ciphertext.subarray(256),
      );
      const point = openssl(["pkey", "-inform", "DER", "-pubout", "-outform", "DER"], pkcs8);
      expect(point.equals(subjectPublicKeyInfo(key.publicKey))).to.equal(true);
      expect(openssl(["ec", "-inform", "DER", "-check", "-noout"], pkcs8)).to.have.length(0);
    });
  }

  it("names the KEK and carries the address", () => {
    using key = PrivateKey.generate("P-256");
    const blob = parseBlob(wrapKey(key, kek));
    expect(blob.kid).to.equal(kid);
    expect(blob.address).to.equal(key.publicKey.address);
  });

  it("has the five members of the specification", () => {
    using key = PrivateKey.generate("P-256");
    const { ciphertext, generator, ...rest } = JSON.parse(wrapKey(key, kek));
    expect(rest).to.deep.equal({
      schema_version: "1.0.0",
      header: { kid, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
    });
    expect([typeof ciphertext, typeof generator]).to.deep.equal(["string", "string"]);
  });

  it("uses a fresh AES key each time", () => {
    using key = PrivateKey.generate("P-256");
    const unwrap = () =>
      privateDecrypt(
        { key: pair.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" },
        parseBlob(wrapKey(key, kek)).ciphertext.subarray(0, 256),
      ).toString("hex");
    expect(unwrap()).not.to.equal(unwrap());
  });

  it("cut short anywhere is refused", () => {
    using key = PrivateKey.generate("P-256K");
    const text = wrapKey(key, kek);
    checkBlobLength(parseBlob(text), kek);
    for (let length = 0; length < text.length - 2; length += 5) {
      expect(problem(() => parseBlob(text.slice(0, length)))).to.equal("unreadable");
    }
    const blob = parseBlob(text);
    for (const missing of [1, 7, 96, 300]) {
      const ciphertext = blob.ciphertext.subarray(missing);
      expect(
        problem(() => checkBlobLength({ ...blob, ciphertext }, kek)),
        String(missing),
      ).to.equal("unreadable");
    }
  });
});

describe("key exchange key", () => {
  it("has the fingerprint that openssl and sha256sum give", () => {
    const spki = openssl(["pkey", "-pubin", "-outform", "DER"], pair.publicKey.export({ type: "spki", format: "pem" }));
    expect(kek.fingerprint.replaceAll(" ", "")).to.equal(hash("sha256", spki, "hex").slice(0, 32));
  });

  it("is read from az's output as well", () => {
    const n = Buffer.from(jwk.n ?? "", "base64url").toString("base64");
    const az = { attributes: {}, key: { kid, kty: "RSA-HSM", keyOps: ["import"], n, e: "AQAB" } };
    expect(parseKek(JSON.stringify(az)).fingerprint).to.equal(kek.fingerprint);
  });

  for (const [what, change, expected] of [
    ["held in software", { kty: "RSA" }, "wrong-kind"],
    ["that may also decrypt", { key_ops: ["import", "decrypt"] }, "wrong-kind"],
    ["for signing", { key_ops: ["sign"] }, "wrong-kind"],
    [
      "of 1024 bits",
      { n: generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" }).n },
      "wrong-kind",
    ],
    ["without a version in its id", { kid: "https://example.vault.azure.net/keys/import-kek" }, "unreadable"],
    ["with an id that is no URL", { kid: `https://[/keys/import-kek/${"0".repeat(32)}` }, "unreadable"],
    ["with a blank in its id", { kid: `https://a b/keys/import-kek/${"0".repeat(32)}` }, "unreadable"],
    ["with a password in its id", { kid: kid.replace("//", "//me:word@") }, "unreadable"],
    ["without a modulus", { n: undefined }, "unreadable"],
  ] as const) {
    it(`is refused ${what}`, () => {
      expect(problem(() => parseKek(JSON.stringify({ ...JSON.parse(kekFile), ...change })))).to.equal(expected);
    });
  }

  it("is refused when its file is something else", () => {
    for (const text of ["", "{", "null", "[]", "-----BEGIN PUBLIC KEY-----"]) {
      expect(
        problem(() => parseKek(text)),
        text,
      ).to.equal("unreadable");
    }
  });
});
