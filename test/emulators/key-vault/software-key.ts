import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
} from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { badParameter } from "./errors.ts";

export type Crv = "P-256" | "P-256K";
export type Kty = "EC" | "EC-HSM" | "RSA" | "RSA-HSM";

/** What the emulated HSM holds: a key made or read by node:crypto, and the public half as the service shows it. */
export interface SoftwareKey {
  readonly kty: Kty;
  /** Present for EC keys. */
  readonly crv?: Crv;
  readonly privateKey: KeyObject;
  readonly publicJwk: Record<string, string>;
}

/** Key Vault's curve name, JOSE algorithm and arithmetic, by node:crypto's name of the curve. */
const CURVES = {
  "P-256": { openssl: "prime256v1", jose: "P-256", algorithm: "ES256", curve: p256 },
  "P-256K": { openssl: "secp256k1", jose: "secp256k1", algorithm: "ES256K", curve: secp256k1 },
} as const;

export const isCurve = (name: unknown): name is Crv => name === "P-256" || name === "P-256K";
export const algorithmOf = (crv: Crv) => CURVES[crv].algorithm;

export function generate(kty: Kty, crv: Crv, modulusLength: number): SoftwareKey {
  if (kty.startsWith("RSA")) {
    return fromKeyObject(kty, generateKeyPairSync("rsa", { modulusLength, publicExponent: 0x10001 }).privateKey);
  }
  return fromKeyObject(kty, generateKeyPairSync("ec", { namedCurve: CURVES[crv].openssl }).privateKey);
}

/** @throws VaultRefusal for a curve that the service has not */
export function fromKeyObject(kty: Kty, privateKey: KeyObject): SoftwareKey {
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  if (jwk.kty === "RSA") return { kty, privateKey, publicJwk: { n: String(jwk.n), e: String(jwk.e) } };
  const crv = (["P-256", "P-256K"] as const).find((each) => CURVES[each].jose === jwk.crv);
  if (crv === undefined) throw badParameter(`Unsupported curve: ${jwk.crv ?? privateKey.asymmetricKeyType}`);
  return { kty, crv, privateKey, publicJwk: { crv, x: String(jwk.x), y: String(jwk.y) } };
}

/** Reads the JWK of an import in the clear; node:crypto refuses a point that is not d's. */
export function fromJwk(kty: Kty, jwk: Record<string, unknown>): SoftwareKey {
  const key = { ...jwk, kty: kty.replace("-HSM", ""), ...(isCurve(jwk.crv) ? { crv: CURVES[jwk.crv].jose } : {}) };
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: key as JsonWebKey, format: "jwk" });
  } catch {
    throw badParameter("Property key has invalid value: the key material could not be read");
  }
  const read = fromKeyObject(kty, privateKey);
  if (read.publicJwk.x !== (jwk.x ?? read.publicJwk.x) || read.publicJwk.y !== (jwk.y ?? read.publicJwk.y)) {
    throw badParameter("Property key has invalid value: the public point is not of the private key");
  }
  return read;
}

/**
 * Signs a digest with a random nonce; S lands in the upper half of the order every other time, on both curves.
 * @param digest 32 bytes
 * @returns r || s, 64 bytes, for EC keys; a PKCS#1 v1.5 signature for RSA keys
 */
export function sign(key: SoftwareKey, digest: Uint8Array, highS: boolean): Uint8Array {
  if (key.crv === undefined) return signRsa(key.privateKey, digest);
  const { curve } = CURVES[key.crv];
  const secret = Buffer.from(String(key.privateKey.export({ format: "jwk" }).d), "base64url");
  const options = { prehash: false, lowS: true, extraEntropy: randomBytes(32) };
  const low = curve.Signature.fromBytes(curve.sign(digest, secret, options));
  const order = curve.Point.Fn.ORDER;
  return new curve.Signature(low.r, highS ? order - low.s : low.s).toBytes();
}

export function verify(key: SoftwareKey, digest: Uint8Array, signature: Uint8Array): boolean {
  if (key.crv === undefined) return verifyRsa(key.privateKey, digest, signature);
  const { x = "", y = "" } = key.publicJwk;
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  if (signature.length !== 64) return false;
  return CURVES[key.crv].curve.verify(signature, digest, point, { prehash: false, lowS: false });
}

/** DigestInfo of SHA-256 (RFC 8017, 9.2, note 1). */
const SHA256_INFO = Buffer.from("3031300d060960864801650304020105000420", "hex");

function signRsa(key: KeyObject, digest: Uint8Array): Uint8Array {
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([SHA256_INFO, digest]));
}

function verifyRsa(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  try {
    const info = publicDecrypt({ key: createPublicKey(key), padding: constants.RSA_PKCS1_PADDING }, signature);
    return info.equals(Buffer.concat([SHA256_INFO, digest]));
  } catch {
    return false;
  }
}

/** The key of a known secret, for published vectors. @param secret 32 bytes */
export function fromSecret(kty: Kty, crv: Crv, secret: Uint8Array): SoftwareKey {
  const point = Buffer.from(CURVES[crv].curve.getPublicKey(secret, false));
  const [d, x, y] = [Buffer.from(secret), point.subarray(1, 33), point.subarray(33)].map((n) =>
    n.toString("base64url"),
  );
  return fromJwk(kty, { crv, d, x, y });
}
