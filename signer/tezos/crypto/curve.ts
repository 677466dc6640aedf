import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";

/** The two curves that Key Vault's HSMs and Tezos share, by the name that JWK and Key Vault give them. */
export type Curve = "P-256" | "P-256K";

/** What differs between the two curves, in one table. */
export const CURVES = {
  "P-256": { ecdsa: p256, address: "tz3", publicKey: "p2pk", secretKey: "p2sk", signature: "p2sig", lowS: false },
  "P-256K": { ecdsa: secp256k1, address: "tz2", publicKey: "sppk", secretKey: "spsk", signature: "spsig1", lowS: true },
} as const satisfies Record<Curve, { ecdsa: ECDSA; lowS: boolean; [prefix: string]: unknown }>;

/** Returns the group's order: private scalars, r and s lie in [1, order - 1]. */
export function order(curve: Curve): bigint {
  return CURVES[curve].ecdsa.Point.Fn.ORDER;
}
