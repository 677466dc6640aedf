import { SignerError } from "../errors.ts";
import { verifyAuthentication } from "../tezos/crypto/authentication.ts";
import { decode, encode } from "../tezos/crypto/base58.ts";
import { blake2b160 } from "../tezos/crypto/digest.ts";

const ADDRESS_OF = { edpk: "tz1", sppk: "tz2", p2pk: "tz3" } as const;

/**
 * Lists the public key hashes of the authorized keys, as GET /authorized_keys lists them: octez signs with the first of
 * them that is in its wallet.
 * @param publicKeys edpk…, sppk… or p2pk…
 * @throws EncodingError for anything else
 */
export function authorizedAddresses(publicKeys: readonly string[]): readonly string[] {
  return publicKeys.map((text) => {
    const { prefix, bytes } = decode(text, "edpk", "sppk", "p2pk");
    return encode(ADDRESS_OF[prefix], blake2b160(bytes));
  });
}

/**
 * Lets a request pass that one of the authorized keys signed. The request does not say which, so each is tried.
 * @param publicKeys edpk…, sppk… or p2pk…
 * @param signature the query parameter `authentication`
 * @param address public key hash of the key asked for
 * @param payload the bytes to be signed
 * @throws SignerError `authentication-invalid`
 */
export function authenticate(
  publicKeys: readonly string[],
  signature: string,
  address: string,
  payload: Uint8Array,
): void {
  if (!publicKeys.some((publicKey) => verifyAuthentication(publicKey, signature, address, payload))) {
    throw new SignerError(
      "authentication-invalid",
      "sign 04 01, the key's hash and the payload with a key that GET /authorized_keys names",
    );
  }
}
