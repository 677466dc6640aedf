import { constants, createCipheriv, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from "node:crypto";
import { z } from "zod";
import { readServiceUrl } from "../network/url.ts";
import { KeyError } from "./key-error.ts";
import { fingerprint, type PrivateKey } from "./private-key.ts";

/**
 * Bring your own key: a private key wrapped, offline, for one vault's HSM alone.
 * Source: "Bring your own key specification", learn.microsoft.com/azure/key-vault/keys/byok-specification: the key as
 * PKCS#8, wrapped by AES-KWP (RFC 5649) under a fresh AES-256 key, which is wrapped by RSA-OAEP with SHA-1 under the
 * vault's key exchange key (KEK). SHA-1 as OAEP's hash needs no collision resistance (RFC 8017, appendix B.1).
 * @module
 */

/** A vault's key exchange key: RSA, its private half in the HSM, usable for nothing but importing keys. */
export interface Kek {
  /** Key id with version: https://NAME.vault.azure.net/keys/KEK/VERSION. */
  readonly kid: string;
  readonly publicKey: KeyObject;
  /** Modulus, 256, 384 or 512 bytes. */
  readonly bytes: number;
  /** To be compared over a channel of its own: see docs/keys.md. */
  readonly fingerprint: string;
}

/** One version of a key in a vault. */
export interface KeyId {
  /** The vault's, with a port where it is not the usual one. */
  readonly host: string;
  readonly name: string;
  readonly version: string;
}

/** Reads the id of one version of a vault's key. @returns undefined for any other text */
export function readKeyId(text: string): KeyId | undefined {
  const url = readServiceUrl(text, { plainHttp: "any", path: "taken" });
  if (!(url instanceof URL)) return undefined;
  const [, name, version] = /^\/keys\/([0-9A-Za-z-]+)\/([0-9a-f]{32})$/.exec(url.pathname) ?? [];
  return name === undefined || version === undefined ? undefined : { host: url.host, name, version };
}

/** The members of a KEK's JWK that we write and read; `key_ops` is spelt `keyOps` by the az command line. */
const KekJwk = z.object({
  kid: z.string().refine((text) => readKeyId(text) !== undefined, {
    error: "must be the id of a key with its version, such as https://NAME.vault.azure.net/keys/KEK/VERSION",
  }),
  kty: z.string(),
  key_ops: z.array(z.string()).optional(),
  keyOps: z.array(z.string()).optional(),
  n: z.string(),
  e: z.string(),
});

/**
 * Reads a KEK file: what `keys kek show` writes, or the output of `az keyvault key show`.
 * @throws KeyError `unreadable` or `wrong-kind`
 */
export function parseKek(text: string): Kek {
  const json = parseJson(text);
  const parsed = KekJwk.safeParse(json !== null && typeof json === "object" && "key" in json ? json.key : json);
  if (!parsed.success) {
    const { path = [], message = "" } = parsed.error.issues[0] ?? {};
    throw new KeyError("unreadable", `This is no key exchange key: ${path.join(".") || "the file"}: ${message}.`);
  }
  const { kid, kty, key_ops, keyOps, n, e } = parsed.data;
  if (kty !== "RSA-HSM") throw new KeyError("wrong-kind", `A key exchange key is of type RSA-HSM; this one is ${kty}.`);
  const operations = key_ops ?? keyOps ?? [];
  if (operations.join() !== "import") {
    throw new KeyError(
      "wrong-kind",
      `A key exchange key may be used for "import" and nothing else; this one allows: ${operations.join(", ") || "nothing"}.`,
    );
  }
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey({ key: { kty: "RSA", n: toBase64url(n), e: toBase64url(e) }, format: "jwk" });
  } catch (error) {
    throw new KeyError("unreadable", "The key exchange key's n and e are no RSA key.", { cause: error });
  }
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (![2048, 3072, 4096].includes(bits)) {
    throw new KeyError("wrong-kind", `A key exchange key has 2048, 3072 or 4096 bits; this one has ${bits}.`);
  }
  const spki = publicKey.export({ type: "spki", format: "der" });
  return { kid, publicKey, bytes: bits / 8, fingerprint: fingerprint(spki) };
}

/**
 * Writes a KEK as `keys kek` writes it to a file: the members of the vault's answer that matter, n and e big-endian.
 */
export function formatKek(jwk: {
  readonly kid: string;
  readonly kty: string;
  readonly key_ops: readonly string[];
  readonly n: Uint8Array;
  readonly e: Uint8Array;
}): string {
  const [n, e] = [jwk.n, jwk.e].map((bytes) => Buffer.from(bytes).toString("base64url"));
  return `${JSON.stringify({ ...jwk, n, e }, undefined, 2)}\n`;
}

/** What stands before the address in a blob's free text. */
const GENERATOR = "tezos-signer keys wrap, address ";

/** Wraps a private key for the HSM that holds the KEK. @returns the BYOK file, JSON; it holds no secret in the clear */
export function wrapKey(key: PrivateKey, kek: Kek): string {
  const aes = randomBytes(32);
  const plain = key.toPkcs8();
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const wrappedAes = publicEncrypt({ key: kek.publicKey, padding, oaepHash: "sha1" }, aes);
    // The alternative initial value of RFC 5649, section 3; the length that follows it is set by the cipher.
    const cipher = createCipheriv("id-aes256-wrap-pad", aes, Buffer.from("a65959a6", "hex"));
    const wrappedKey = Buffer.concat([cipher.update(plain), cipher.final()]);
    const blob = {
      schema_version: "1.0.0",
      header: { kid: kek.kid, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
      ciphertext: Buffer.concat([wrappedAes, wrappedKey]).toString("base64url"),
      generator: GENERATOR + key.publicKey.address,
    };
    return `${JSON.stringify(blob, undefined, 2)}\n`;
  } finally {
    aes.fill(0);
    plain.fill(0);
  }
}

const BlobJson = z.object({
  schema_version: z.literal("1.0.0"),
  header: z.object({
    kid: z.string(),
    alg: z.literal("dir"),
    enc: z.literal("CKM_RSA_AES_KEY_WRAP"),
  }),
  ciphertext: z.string().regex(/^[\w-]+$/),
  generator: z.string().optional(),
});

/** A BYOK file as far as it can be read without the HSM. */
export interface Blob {
  /** The KEK that it was wrapped for. */
  readonly kid: string;
  readonly ciphertext: Uint8Array;
  /** The address that `keys wrap` noted in it; absent in other tools' blobs. Proven only once the HSM has opened it. */
  readonly address?: string;
}

/**
 * Reads a BYOK file.
 * @throws KeyError `unreadable` if it is none, or cut short
 */
export function parseBlob(text: string): Blob {
  const parsed = BlobJson.safeParse(parseJson(text));
  if (!parsed.success) {
    const { path = [] } = parsed.error.issues[0] ?? {};
    const where = path.length === 0 ? "it is not whole JSON" : `${path.join(".")} is missing or wrong`;
    throw new KeyError("unreadable", `This is no BYOK file, or a damaged one: ${where}. Copy it again from the drive.`);
  }
  const { header, ciphertext, generator } = parsed.data;
  const address = generator?.startsWith(GENERATOR) ? generator.slice(GENERATOR.length) : undefined;
  return {
    kid: header.kid,
    ciphertext: Buffer.from(ciphertext, "base64url"),
    ...(address !== undefined && { address }),
  };
}

/** PKCS#8 of a 256-bit EC key, in bytes: without its public key and curve at the least, with both at the most. */
const PKCS8_BYTES = { least: 60, most: 160 };

/**
 * Checks a blob's length against its KEK: RSA's part, then the wrapped key in steps of eight bytes.
 * @throws KeyError `unreadable` if bytes are missing or too many
 */
export function checkBlobLength(blob: Blob, kek: Kek): void {
  const wrapped = blob.ciphertext.length - kek.bytes;
  const { least, most } = PKCS8_BYTES;
  if (wrapped % 8 !== 0 || wrapped < least + 8 || wrapped > most + 16) {
    throw new KeyError(
      "unreadable",
      `The blob's ciphertext has ${blob.ciphertext.length} bytes, which no wrapped EC key has: it is damaged or cut short. Copy it again from the drive.`,
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Key Vault writes base64url, az writes base64. */
function toBase64url(text: string): string {
  return Buffer.from(text, "base64").toString("base64url");
}
