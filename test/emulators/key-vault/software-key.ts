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

export type Crv = "P-256" | "P-256K" | "SECP256K1";
export type Kty = "EC" | "EC-HSM" | "RSA" | "RSA-HSM";

/** What the emulated HSM holds: a key made or read by node:crypto, and the public half as the service shows it. */
export interface SoftwareKey {
  readonly kty: Kty;
  /** Present for EC keys. */
  readonly crv?: Crv;
  readonly privateKey: KeyObject;
  readonly publicJwk: Record<string, string>;
}

/**
 * OpenSSL's name, JOSE's name and arithmetic of a curve, by Key Vault's name. `SECP256K1` is the preview's name of `P-256K`:
 * a key keeps the name that it was made with, and `az keyvault key import` still gives it (azure-cli #18462).
 */
const CURVES = {
  "P-256": { openssl: "prime256v1", jose: "P-256", curve: p256 },
  "P-256K": { openssl: "secp256k1", jose: "secp256k1", curve: secp256k1 },
  SECP256K1: { openssl: "secp256k1", jose: "secp256k1", curve: secp256k1 },
} as const;

/**
 * The curves that each algorithm of an EC key is for, by their names: the service compares names, not curves
 * (its own words in azure-sdk-for-node #4603 and celo-monorepo #5703).
 */
const EC_ALGORITHMS: Readonly<Record<string, readonly Crv[]>> = {
  ES256: ["P-256"],
  ES256K: ["P-256K"],
  ECDSA256: ["P-256", "SECP256K1"],
};

export const isCurve = (name: unknown): name is Crv => Object.hasOwn(CURVES, String(name));
/** The curves that an algorithm is for; none for RSA's, undefined for one that the service has not. */
export const curvesOf = (algorithm: string) => (algorithm === "RS256" ? [] : EC_ALGORITHMS[algorithm]);

export function generate(kty: Kty, crv: Crv, modulusLength: number): SoftwareKey {
  if (kty.startsWith("RSA")) {
    return fromKeyObject(kty, generateKeyPairSync("rsa", { modulusLength, publicExponent: 0x10001 }).privateKey);
  }
  return fromKeyObject(kty, generateKeyPairSync("ec", { namedCurve: CURVES[crv].openssl }).privateKey, crv);
}

/** @param named how the curve is named, where it has two names; @throws VaultRefusal for a curve that the service has not */
export function fromKeyObject(kty: Kty, privateKey: KeyObject, named?: unknown): SoftwareKey {
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  if (jwk.kty === "RSA") return { kty, privateKey, publicJwk: { n: String(jwk.n), e: String(jwk.e) } };
  const names = [named, "P-256", "P-256K"].filter(isCurve);
  const crv = names.find((each) => CURVES[each].jose === jwk.crv);
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
  const read = fromKeyObject(kty, privateKey, jwk.crv);
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
