import { pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { secretbox } from "@noble/ciphers/salsa.js";
import { decode, EncodingError } from "../tezos/crypto/base58.ts";
import type { Curve } from "../tezos/crypto/curve.ts";
import { KeyError } from "./key-error.ts";
import { PrivateKey } from "./private-key.ts";

const deriveKey = promisify(pbkdf2);

/** How octez-client encrypts secret keys: src/lib_signer_backends/unix/encrypted.ml. */
const SALT_BYTES = 8;
const ROUNDS = 32_768;
/** Zero, since each key is derived from its own salt. */
const NONCE = new Uint8Array(24);

/** Secret keys as octez writes them, alone or with the scheme that its wallet files put before them. */
const FORM = /^\s*(?:unencrypted:|encrypted:)?(?<key>(?:[a-z]{2}|p2|BL)e?sk[1-9A-HJ-NP-Za-km-z]+)\s*$/;

/** Tells whether a text is meant to be a secret key of octez. */
export function looksLikeOctezSecret(text: string): boolean {
  return FORM.test(text);
}

/** A secret key of octez, decoded from base58check but not yet decrypted. */
export interface OctezSecret {
  readonly curve: Curve;
  /** The scalar; of an encrypted key the salt and the secretbox around it. */
  readonly bytes: Uint8Array;
  /** Whether opening it takes a passphrase. */
  readonly isEncrypted: boolean;
}

/**
 * Reads spsk…, p2sk…, spesk… or p2esk….
 * @throws KeyError `unreadable`, or `wrong-kind` for keys of tz1 and tz4
 */
export function parseOctezSecret(text: string): OctezSecret {
  const key = FORM.exec(text)?.groups?.key ?? "";
  if (/^(ede?sk|BLe?sk)/.test(key)) {
    throw new KeyError(
      "wrong-kind",
      `This is a secret key for a ${key.startsWith("ed") ? "tz1" : "tz4"} address. Key Vault's HSMs hold tz2 and tz3 keys only.`,
    );
  }
  try {
    const { prefix, bytes } = decode(key, "spsk", "p2sk", "spesk", "p2esk");
    return { curve: prefix.startsWith("sp") ? "P-256K" : "P-256", bytes, isEncrypted: prefix.endsWith("esk") };
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new KeyError("unreadable", `This is no secret key of octez: ${error.message}.`, { cause: error });
  }
}

/**
 * Opens a secret key of octez.
 * @param passphrase ignored if the key is not encrypted
 * @throws KeyError `wrong-passphrase`, or `unreadable` for a scalar out of range
 */
export async function openOctezSecret(secret: OctezSecret, passphrase: Uint8Array): Promise<PrivateKey> {
  const { curve, bytes, isEncrypted } = secret;
  if (!isEncrypted) return new PrivateKey(curve, Uint8Array.from(bytes));
  const derived = await deriveKey(passphrase, bytes.subarray(0, SALT_BYTES), ROUNDS, 32, "sha512");
  let scalar: Uint8Array;
  try {
    scalar = secretbox(derived, NONCE).open(bytes.subarray(SALT_BYTES));
  } catch (error) {
    throw new KeyError("wrong-passphrase", "The passphrase does not open this key.", { cause: error });
  } finally {
    derived.fill(0);
  }
  return new PrivateKey(curve, scalar);
}
