import { expect } from "chai";
import fc from "fast-check";
import { parseBlob, parseKek } from "../../../signer/key-files/byok.ts";
import { KeyError } from "../../../signer/key-files/key-error.ts";
import { parseOctezSecret } from "../../../signer/key-files/octez-secret.ts";
import { decryptPem, encryptPem, parsePem, pemLabel } from "../../../signer/key-files/pem.ts";
import { PrivateKey } from "../../../signer/key-files/private-key.ts";
import { quickPem } from "../../harness/local-key.ts";

/** Whether a reader takes a text or refuses it in a sentence; whatever else it throws goes on. */
function takesOrRefuses(read: (text: string) => unknown, text: string): void {
  try {
    read(text);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    expect(error.message).to.match(/^[A-Z].*\.$/s);
  }
}

const READERS = { parseBlob, parseKek, parseOctezSecret, parsePem, pemLabel };

describe("readers of key files", () => {
  const json = fc.json();
  const pemLike = fc
    .tuple(fc.constantFrom("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY"), fc.base64String(), fc.string())
    .map(([label, body, more]) => `-----BEGIN ${label}-----\n${more}\n${body}\n-----END ${label}-----\n`);
  const secretLike = fc
    .tuple(fc.constantFrom("spsk", "p2sk", "spesk", "p2esk", "edsk", "BLsk"), fc.string())
    .map((parts) => parts.join(""));

  for (const [name, read] of Object.entries(READERS)) {
    it(`${name} takes or refuses any text in a sentence`, () => {
      fc.assert(
        fc.property(fc.oneof(fc.string(), json, pemLike, secretLike), (text) => takesOrRefuses(read, text)),
        { numRuns: 1000 },
      );
    });
  }

  // Each of ours takes a quarter of a second to open, one of OpenSSL's with its 2,048 rounds takes none.
  for (const [whose, write, numRuns] of [
    ["ours", encryptPem, 5],
    ["OpenSSL's", quickPem, 200],
  ] as const) {
    it(`open an encrypted file with a changed byte to no other key: ${whose}`, async () => {
      using key = PrivateKey.generate("P-256");
      const passphrase = Buffer.from("for tests");
      const pem = await write(key, passphrase);
      const start = pem.indexOf("KEY-----") + 9;
      const end = pem.indexOf("-----END") - 1;
      const place = fc.integer({ min: start, max: end - 1 });
      fc.assert(
        fc.property(place, fc.constantFrom(..."ABCDwxyz0189+/"), (at, symbol) => {
          takesOrRefuses(
            (text) => {
              using opened = decryptPem(text, passphrase);
              expect(opened.publicKey.address).to.equal(key.publicKey.address);
            },
            pem.slice(0, at) + symbol + pem.slice(at + 1),
          );
        }),
        { numRuns },
      );
    });
  }
});
