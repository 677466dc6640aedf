/** The two curves that Key Vault's HSMs and Tezos share, by the name that JWK and Key Vault give them. */
export type Curve = "P-256" | "P-256K";

/** A public key as the signer uses it. */
export interface PublicKey {
  readonly curve: Curve;
  /** SEC 1 compressed point, 33 bytes. */
  readonly bytes: Uint8Array;
  /** `sppk…` (P-256K) or `p2pk…` (P-256). */
  readonly base58: string;
  /** `tz2…` (P-256K) or `tz3…` (P-256): Blake2b-160 of the 33 bytes. */
  readonly address: string;
}
