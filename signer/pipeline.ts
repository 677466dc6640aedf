/** Who asks: recorded in the decision's log line. */
export interface Client {
  /** IP address of the peer; IPv4-mapped IPv6 is given as IPv4. */
  readonly address: string;
  /** Ends when the client hangs up; a signature in flight goes on all the same. */
  readonly gone: AbortSignal;
}

/** What http/ sees of the signer. */
export interface RemoteSigner {
  /** Public key hashes served, in a stable order. */
  addresses(): readonly string[];
  /** The public key in base58check, or undefined for a key that is not here. */
  publicKey(address: string): string | undefined;
  /**
   * Takes a request through parse, policy, guard and key.
   * @param address public key hash, base58check
   * @param payload the bytes to be signed, magic byte first
   * @returns the signature in base58check (spsig1…, p2sig…)
   * @throws SignerError for every refusal and every fault
   */
  sign(address: string, payload: Uint8Array, client: Client): Promise<string>;
}
