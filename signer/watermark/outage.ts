import { within } from "../deadline.ts";
import { SignerError } from "../errors.ts";
import type { StoreError } from "./stores/store.ts";

const PAUSE_AFTER_NO_ANSWER = 50;

/** Makes the refusal of a request that the store let wait for too long. */
export const late = () => new SignerError("watermark-unavailable", "It did not answer before the request's deadline.");

/** Waits a moment before the store is asked again; ends with the store's own fault where the deadline is over. */
export async function pause(deadline: AbortSignal, fault: StoreError): Promise<void> {
  const over = () => new SignerError("watermark-unavailable", fault.message, { cause: fault });
  await within(new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_NO_ANSWER)), deadline, over);
}
