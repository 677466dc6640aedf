import { EncodingError } from "../../tezos/crypto/base58.ts";
import type { Curve } from "../../tezos/crypto/curve.ts";
import { type PublicKey, publicKeyFromPoint } from "../../tezos/crypto/public-key.ts";

/** CKA_EC_PARAMS of the two curves: the DER of their object identifiers (RFC 5480; SEC 2, A.2.1). */
export const EC_PARAMS = {
  "P-256": Buffer.from("06082a8648ce3d030107", "hex"),
  "P-256K": Buffer.from("06052b8104000a", "hex"),
} as const satisfies Record<Curve, Buffer>;

/** DER's tag of an OCTET STRING. */
const OCTET_STRING = 0x04;

/**
 * Reads a public key as a token shows it.
 * @param params CKA_EC_PARAMS
 * @param point CKA_EC_POINT: a point of SEC 1 in a DER OCTET STRING, as PKCS#11 2.20 and later want it, or bare, as many
 *   tokens gave it before that was written down and some still do; compressed or not
 * @throws EncodingError for another curve, and for what is no point of it
 */
export function readPublicKey(params: Uint8Array, point: Uint8Array): PublicKey {
  const curve = (Object.keys(EC_PARAMS) as Curve[]).find((name) => EC_PARAMS[name].equals(params));
  if (curve === undefined) {
    throw new EncodingError(
      `a Tezos key is on P-256 (tz3) or secp256k1 (tz2), named by its object identifier; this one has the parameters ${Buffer.from(params).toString("hex")}`,
    );
  }
  return publicKeyFromPoint(curve, bare(point));
}

/** The lengths tell the two apart: a point has 33 or 65 bytes, and a header of DER two more. */
function bare(point: Uint8Array): Uint8Array {
  const isWrapped = point[0] === OCTET_STRING && point[1] === point.length - 2 && [35, 67].includes(point.length);
  return isWrapped ? point.subarray(2) : point;
}
