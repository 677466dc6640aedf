import { createPrivateKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PrivateKey } from "../../signer/key-files/private-key.ts";
import { localPassphrase } from "../../signer/keys/local/keyring.ts";
import type { Curve } from "../../signer/tezos/crypto/curve.ts";

/**
 * Encrypts a private key as OpenSSL does unless it is told otherwise, by 2,048 rounds of PBKDF2. A file of ours takes a
 * quarter of a second of scrypt to make, and another one each time that it is opened.
 */
export function quickPem(key: PrivateKey, passphrase: Buffer): string {
  const unencrypted = createPrivateKey({ key: key.toPkcs8(), format: "der", type: "pkcs8" });
  return unencrypted.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }).toString();
}

/** Makes a folder of one local key, with its passphrase beside it. @returns the key's address */
export async function writeLocalKey(folder: string, curve: Curve = "P-256"): Promise<string> {
  using key = PrivateKey.generate(curve);
  const pem = quickPem(key, await localPassphrase(folder));
  await writeFile(join(folder, curve === "P-256" ? "tz3.pem" : "tz2.pem"), pem, { mode: 0o600 });
  return key.publicKey.address;
}
