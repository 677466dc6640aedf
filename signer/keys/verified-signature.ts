import { SignerError } from "../errors.ts";
import { normalise, verifySignature } from "../tezos/crypto/signature.ts";
import type { SigningKey } from "./keyring.ts";

/**
 * Signs a digest and lets the signature out only in the form that Tezos accepts and after it was verified, whatever the
 * backend is: a wrong key, a mixed-up answer or a flipped bit must not leave, nor be kept as a block's signature.
 * @param digest Blake2b-256 of the payload, 32 bytes
 * @param payload for a device that reads what it signs
 * @returns r || s, 64 bytes, low-S for tz2
 * @throws SignerError `signature-invalid`, or what the backend throws
 */
export async function signVerified(
  key: SigningKey,
  digest: Uint8Array,
  deadline: AbortSignal,
  payload?: Uint8Array,
): Promise<Uint8Array> {
  const raw = await key.sign(digest, deadline, payload);
  if (raw.length !== 64) {
    throw new SignerError("signature-invalid", `${key.location} answered ${raw.length} bytes instead of 64.`);
  }
  const signature = normalise(key.publicKey.curve, raw);
  if (!verifySignature(key.publicKey, digest, signature)) {
    throw new SignerError(
      "signature-invalid",
      `${key.location} answered a signature that is not ${key.publicKey.address}'s.`,
    );
  }
  return signature;
}
