import type { SigningKey } from "./keyring.ts";
import { bindingProblem } from "./store-binding.ts";

/**
 * Says why nothing can be signed with a key that is here, for readiness, /status and metrics.
 * @param storeId of this signer's watermark store; undefined while it is not known
 * @returns a reason in sentences, with what to do; undefined where nothing stands against it
 */
export function keyProblem(key: SigningKey, storeId: string | undefined): string | undefined {
  return bindingProblem(key, storeId) ?? key.refusal;
}
