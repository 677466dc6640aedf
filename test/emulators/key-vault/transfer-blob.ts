import { constants, createCipheriv, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from "node:crypto";
import type { KeyVaultKey } from "@azure/keyvault-keys";

/**
 * A key transfer blob (byok-specification), made on the caller's side.
 * @param kek the RSA-HSM key exchange key, as the vault shows it
 * @returns the JSON text of the .byok file
 */
export function transferBlob(kek: KeyVaultKey, key: KeyObject): Buffer {
  const part = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("base64url");
  const jwk = { kty: "RSA", n: part(kek.key?.n), e: part(kek.key?.e) };
  const publicKey = createPublicKey({ key: jwk, format: "jwk" });
  const aes = randomBytes(32);
  const cipher = createCipheriv("id-aes256-wrap-pad", aes, Buffer.from("a65959a6", "hex"));
  const wrapped = Buffer.concat([cipher.update(key.export({ format: "der", type: "pkcs8" })), cipher.final()]);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const ciphertext = Buffer.concat([publicEncrypt({ key: publicKey, padding, oaepHash: "sha1" }, aes), wrapped]);
  return Buffer.from(
    JSON.stringify({
      schema_version: "1.0.0",
      header: { kid: kek.id, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
      ciphertext: ciphertext.toString("base64url"),
      generator: "test",
    }),
  );
}
