import { createCipheriv, createPrivateKey, type KeyObject, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { integer, isWholeSequence, objectIdentifier, octetString, sequence } from "./der.ts";
import { KeyError } from "./key-error.ts";
import { PrivateKey } from "./private-key.ts";

/**
 * scrypt's cost: 16 MiB, five lanes, the OWASP Password Storage Cheat Sheet's row for that memory. A larger N than 2^14
 * exceeds the 32 MiB that OpenSSL 3 allows for scrypt when it opens a file, and `openssl ec` must open ours.
 */
const SCRYPT = { N: 2 ** 14, r: 8, p: 5 } as const;

const PBES2 = objectIdentifier("2a864886f70d01050d");
const SCRYPT_KDF = objectIdentifier("2b06010401da47040b");
const AES_256_CBC = objectIdentifier("60864801650304012a");

const deriveKey = promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt);

/**
 * Encrypts a private key: PKCS#8 EncryptedPrivateKeyInfo, PBES2 (RFC 8018) with scrypt (RFC 7914) and AES-256-CBC.
 * Written here because node:crypto's own export derives the key by 2,048 rounds of PBKDF2 and offers nothing stronger.
 * The address and the public key stand above the PEM block as text, which readers of PEM skip (RFC 7468, section 2).
 * @param passphrase UTF-8, not empty
 */
export async function encryptPem(key: PrivateKey, passphrase: Uint8Array): Promise<string> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const derived = await deriveKey(passphrase, salt, 32, { ...SCRYPT, maxmem: 2 ** 26 });
  const plain = key.toPkcs8();
  const cipher = createCipheriv("aes-256-cbc", derived, iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  derived.fill(0);
  plain.fill(0);
  const kdf = sequence(
    SCRYPT_KDF,
    sequence(octetString(salt), integer(SCRYPT.N), integer(SCRYPT.r), integer(SCRYPT.p)),
  );
  const algorithm = sequence(PBES2, sequence(kdf, sequence(AES_256_CBC, octetString(iv))));
  const base64 = sequence(algorithm, octetString(encrypted)).toString("base64");
  const { address, base58 } = key.publicKey;
  return [
    `Tezos address: ${address}`,
    `Public key: ${base58}`,
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    ...(base64.match(/.{1,64}/g) ?? []),
    "-----END ENCRYPTED PRIVATE KEY-----",
    "",
  ].join("\n");
}

/** A private key's PEM block, as found in a file: PKCS#8, or the older form of `openssl ec`. */
const BLOCK =
  /-----BEGIN (?<label>ENCRYPTED PRIVATE KEY|PRIVATE KEY|EC PRIVATE KEY)-----\s(?<body>[\s\S]*?)-----END \k<label>-----/;

/** Tells whether a text is meant to be a PEM file; {@link parsePem} says whether it is a good one. */
export function looksLikePem(text: string): boolean {
  return text.includes("-----BEGIN ");
}

/** What stands above the block of a file of ours; proven only by opening it. */
export interface Label {
  readonly address: string;
  /** The public key. */
  readonly base58: string;
}

/** Returns the label that {@link encryptPem} wrote; undefined in other files. */
export function pemLabel(text: string): Label | undefined {
  const address = /^Tezos address: (tz[23]\w+)\r?$/m.exec(text)?.[1];
  const base58 = /^Public key: (\w+)\r?$/m.exec(text)?.[1];
  return address === undefined || base58 === undefined ? undefined : { address, base58 };
}

/** A PEM private key that is whole as far as can be seen without opening it. */
export interface Pem {
  readonly block: string;
  /** Whether opening it takes a passphrase. */
  readonly isEncrypted: boolean;
}

/**
 * Finds the PEM private key in a text: ours or OpenSSL's, PKCS#8 or the traditional EC form.
 * @throws KeyError `unreadable`
 */
export function parsePem(text: string): Pem {
  const found = BLOCK.exec(text);
  const { label, body = "" } = found?.groups ?? {};
  const isTraditional = body.includes("Proc-Type: 4,ENCRYPTED");
  const base64 = body.replace(/^[\w-]+: .*$/gm, "").replace(/\s/g, "");
  const bytes = Buffer.from(base64, "base64");
  // The traditional form encrypts the DER itself, so its outer structure cannot be seen from here.
  const isWhole = isTraditional ? bytes.length > 0 && bytes.length % 16 === 0 : isWholeSequence(bytes);
  if (found === null || !isWhole || bytes.toString("base64") !== base64) {
    throw new KeyError("unreadable", "This is no whole PEM private key: it is damaged, cut short, or something else.");
  }
  return { block: found[0], isEncrypted: isTraditional || label === "ENCRYPTED PRIVATE KEY" };
}

/**
 * Opens a PEM private key.
 * @param passphrase ignored if the PEM is not encrypted
 * @throws KeyError `unreadable`, `wrong-passphrase` or `wrong-kind`
 */
export function openPem({ block, isEncrypted }: Pem, passphrase: Uint8Array): PrivateKey {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: block, passphrase: Buffer.from(passphrase) });
  } catch (error) {
    // A wrong passphrase shows as bad padding or, once in 256 times, as nonsense behind good padding.
    if (isEncrypted) throw new KeyError("wrong-passphrase", "The passphrase does not open this key.", { cause: error });
    throw new KeyError("unreadable", "The PEM block holds no private key that OpenSSL can read.", { cause: error });
  }
  return PrivateKey.fromKeyObject(key);
}

/** Finds and opens a PEM private key in one step: {@link parsePem}, then {@link openPem}. @throws KeyError */
export function decryptPem(text: string, passphrase: Uint8Array): PrivateKey {
  return openPem(parsePem(text), passphrase);
}
