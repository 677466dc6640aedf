import type { SigningCall } from "./request-context.ts";

/** What http/ asks of the signer. */
export interface RemoteSigner {
  /** Returns the public key hashes served, in a stable order. */
  addresses(): readonly string[];
  /**
   * Returns a public key in base58check.
   * @throws SignerError `unknown-key`, and `vault-unavailable` while it is not known which keys are here
   */
  publicKey(address: string): string;
  /**
   * Decides on a request for a signature, and signs it. What becomes known on the way is noted in `call`.
   * @returns the signature in base58check (spsig1…, p2sig…)
   * @throws SignerError for every refusal and every fault
   */
  sign(call: SigningCall): Promise<string>;
}
