import { constants, createDecipheriv, createPrivateKey, type KeyObject, privateDecrypt } from "node:crypto";
import { badParameter } from "./errors.ts";
import { fromKeyObject, type Kty, type SoftwareKey } from "./software-key.ts";

/** Finds the key exchange key that a blob names; undefined if this vault has no such version. */
export type FindKek = (kid: string) => { readonly key: SoftwareKey; readonly keyOps: readonly string[] } | undefined;

/**
 * Opens a key transfer blob as the HSM does (byok-specification): JSON around RSA-OAEP with SHA-1 of an AES key,
 * followed by AES-KWP (RFC 5649) of the PKCS#8 key.
 * @param blob the file's text, from `key_hsm`
 * @throws VaultRefusal for another schema, a key exchange key that is not this vault's or not for import, and for
 *   whatever does not unwrap
 */
export function openTransferBlob(blob: string, kty: Kty, findKek: FindKek): SoftwareKey {
  const { schema_version: version, header, ciphertext } = parse(blob);
  if (version !== "1.0.0") throw badParameter("Invalid key transfer blob: unknown schema_version");
  if (header?.alg !== "dir" || header.enc !== "CKM_RSA_AES_KEY_WRAP") {
    throw badParameter("Invalid key transfer blob: header must have alg 'dir' and enc 'CKM_RSA_AES_KEY_WRAP'");
  }
  const kek = findKek(String(header.kid));
  if (kek === undefined) throw badParameter(`Invalid key transfer blob: no key exchange key ${header.kid}`);
  if (kek.key.kty !== "RSA-HSM" || kek.keyOps.length !== 1 || kek.keyOps[0] !== "import") {
    throw badParameter("Invalid key transfer blob: the key exchange key must be RSA-HSM with key_ops ['import'] alone");
  }
  return fromKeyObject(kty, unwrap(kek.key.privateKey, Buffer.from(String(ciphertext), "base64url")));
}

function parse(blob: string): Record<string, string> & { header?: Record<string, string> } {
  try {
    const value: unknown = JSON.parse(blob);
    if (typeof value === "object" && value !== null) return value as ReturnType<typeof parse>;
  } catch {
    // refused below, as any other text that is not a JSON object
  }
  throw badParameter("Invalid key transfer blob: not JSON");
}

/** The initial value of RFC 5649, section 3. */
const KWP_IV = Buffer.from("a65959a6", "hex");

function unwrap(kek: KeyObject, ciphertext: Buffer): KeyObject {
  const modulus = (kek.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  try {
    const aes = privateDecrypt(
      { key: kek, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" },
      ciphertext.subarray(0, modulus),
    );
    const decipher = createDecipheriv("id-aes256-wrap-pad", aes, KWP_IV);
    const der = Buffer.concat([decipher.update(ciphertext.subarray(modulus)), decipher.final()]);
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } catch {
    throw badParameter("Invalid key transfer blob: the wrapped key could not be unwrapped");
  }
}
