import { SignerError } from "../errors.ts";
import { type Policy, policyOf } from "../policy/policy.ts";
import { verifyAuthentication } from "../tezos/crypto/authentication.ts";
import { decode, encode } from "../tezos/crypto/base58.ts";
import { blake2b160 } from "../tezos/crypto/digest.ts";
import { memoize } from "./memoize.ts";

/** The settings that say whose signature a request must carry. */
export interface AuthenticationSettings {
  /** Public keys (edpk…, sppk…, p2pk…) of the clients that may ask; absent: anybody may. */
  readonly authentication?: { readonly keys: readonly string[] } | undefined;
  readonly policy: Policy;
}

const ADDRESS_OF = { edpk: "tz1", sppk: "tz2", p2pk: "tz3" } as const;

/**
 * Lists the public key hashes of the authorized keys, as GET /authorized_keys lists them: octez signs with the first of
 * them that is in its wallet.
 * @param publicKeys edpk…, sppk… or p2pk…
 * @throws EncodingError for anything else
 */
export const authorizedAddresses = memoize((publicKeys): readonly string[] =>
  publicKeys.map((text) => {
    const { prefix, bytes } = decode(text, "edpk", "sppk", "p2pk");
    return encode(ADDRESS_OF[prefix], blake2b160(bytes));
  }),
);

/**
 * Returns the public keys (edpk…, sppk…, p2pk…) of the clients that may ask for a key's signature; a request must be signed
 * by one of them. Undefined where none needs to be.
 * @param address public key hash of the key asked for
 */
export function authorizedKeysFor(
  { authentication, policy }: AuthenticationSettings,
  address: string,
): readonly string[] | undefined {
  return policyOf(policy, address).authentication === false ? undefined : authentication?.keys;
}

/**
 * Requires the signature of an authorized key where the settings want one. The request does not say whose it is, so each is
 * tried.
 * @param signature the query parameter `authentication`
 * @param address public key hash of the key asked for
 * @param payload the bytes to be signed; undefined while they are not read, so that a client without a signature is refused
 * before they are
 * @throws SignerError `authentication-missing` or `authentication-invalid`
 */
export function requireAuthenticated(
  settings: AuthenticationSettings,
  signature: string | undefined,
  address: string,
  payload?: Uint8Array,
): void {
  const publicKeys = authorizedKeysFor(settings, address);
  if (publicKeys === undefined) return;
  if (signature === undefined) throw new SignerError("authentication-missing", "GET /authorized_keys names the keys");
  if (payload === undefined) return;
  if (!publicKeys.some((publicKey) => verifyAuthentication(publicKey, signature, address, payload))) {
    throw new SignerError(
      "authentication-invalid",
      "sign 04 01, the key's hash and the payload with a key that GET /authorized_keys names",
    );
  }
}
