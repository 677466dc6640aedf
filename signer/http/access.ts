/**
 * Who may ask, and for what, besides the policy of each key. Settings change while the signer runs, so this is read
 * anew for each request; a changed list is a new array.
 */
export interface Access {
  /** IP addresses and CIDR ranges; absent: every address (the firewall alone decides). Empty: none. */
  readonly allowedAddresses?: readonly string[] | undefined;
  /** Public keys of clients (edpk…, sppk…, p2pk…); absent: no authentication. Empty: nobody is authorized. */
  readonly authorizedKeys?: readonly string[] | undefined;
  /** Whether requests for this key must be authenticated, where there are authorizedKeys; absent: all must. */
  readonly needsAuthentication?: ((address: string) => boolean) | undefined;
  /** Whether GET /known_keys answers. */
  readonly listKnownKeys: boolean;
}

/**
 * Keeps the last result of a computation on a list that seldom changes; the array's identity says whether it did.
 * @param compute pure
 */
export function remembered<T>(compute: (list: readonly string[]) => T): (list: readonly string[]) => T {
  let last: { readonly list: readonly string[]; readonly result: T } | undefined;
  return (list) => {
    if (last?.list !== list) last = { list, result: compute(list) };
    return last.result;
  };
}
