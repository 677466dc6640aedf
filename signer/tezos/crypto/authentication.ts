import { createPublicKey, verify } from "node:crypto";
import { decode } from "./base58.ts";
import { CURVES } from "./curve.ts";
import { blake2b256 } from "./digest.ts";
import { publicKeyFromBase58 } from "./public-key.ts";
import { decodeSignature, verifySignature } from "./signature.ts";

/** Leading byte of a public key hash in binary: octez src/lib_crypto/signature_v3.ml. */
const ADDRESS_TAGS = { tz1: 0, tz2: 1, tz3: 2, tz4: 3 } as const;

/**
 * Makes the bytes that a client signs with its own key to prove that it may ask: 04 01, the key asked for, the payload.
 * Source: octez src/lib_signer_services/signer_messages.ml.
 * @param address the signing key's public key hash, tz1… to tz4…
 * @param payload the bytes to be signed, magic byte first
 * @throws EncodingError for any other address
 */
export function authenticationBytes(address: string, payload: Uint8Array): Uint8Array {
  const { prefix, bytes } = decode(address, "tz1", "tz2", "tz3", "tz4");
  return Buffer.concat([Uint8Array.of(0x04, 0x01, ADDRESS_TAGS[prefix]), bytes, payload]);
}

/**
 * Tells whether an authorized client made this request.
 * @param publicKey the client's key, as the settings name it: edpk…, sppk… or p2pk…
 * @param signature the request's `authentication` parameter; whatever is no signature of that key's kind is false
 * @param address the signing key's public key hash
 * @param payload the bytes to be signed, magic byte first
 * @throws EncodingError when the public key or the address is not one
 */
export function verifyAuthentication(
  publicKey: string,
  signature: string,
  address: string,
  payload: Uint8Array,
): boolean {
  const key = clientKey(publicKey);
  const digest = blake2b256(authenticationBytes(address, payload));
  const given = signatureOrNone(signature);
  if (given === undefined || (given.prefix !== "sig" && given.prefix !== key.signature)) return false;
  return key.verify(digest, given.bytes);
}

interface ClientKey {
  readonly signature: "edsig" | "spsig1" | "p2sig";
  verify(digest: Uint8Array, signature: Uint8Array): boolean;
}

/** Keys already decoded: there are as many as the settings name, and each is used for every request. */
const clientKeys = new Map<string, ClientKey>();

function clientKey(text: string): ClientKey {
  let key = clientKeys.get(text);
  if (key === undefined) {
    key = decodeClientKey(text);
    clientKeys.set(text, key);
  }
  return key;
}

function decodeClientKey(text: string): ClientKey {
  const { prefix, bytes } = decode(text, "edpk", "sppk", "p2pk");
  if (prefix !== "edpk") {
    const key = publicKeyFromBase58(text);
    return {
      signature: CURVES[key.curve].signature,
      verify: (digest, signature) => verifySignature(key, digest, signature),
    };
  }
  const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(bytes).toString("base64url") };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  return { signature: "edsig", verify: (digest, signature) => verify(null, digest, key, signature) };
}

function signatureOrNone(text: string): ReturnType<typeof decodeSignature> | undefined {
  try {
    return decodeSignature(text);
  } catch {
    return undefined;
  }
}
