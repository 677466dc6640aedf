import { createPrivateKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PrivateKey } from "../../signer/key-files/private-key.ts";
import { localPassphrase } from "../../signer/keys/local/keyring.ts";
import type { Curve } from "../../signer/tezos/crypto/curve.ts";

/**
 * Makes a folder of one local key, with its passphrase beside it. The file is OpenSSL's, by 2,048 rounds of PBKDF2: our own
 * takes a quarter of a second of scrypt to make, and another one each time that it is opened.
 * @returns the key's address
 */
export async function writeLocalKey(folder: string, curve: Curve = "P-256"): Promise<string> {
  using key = PrivateKey.generate(curve);
  const passphrase = await localPassphrase(folder);
  const pem = createPrivateKey({ key: key.toPkcs8(), format: "der", type: "pkcs8" }).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase,
  });
  await writeFile(join(folder, "key.pem"), pem, { mode: 0o600 });
  return key.publicKey.address;
}
