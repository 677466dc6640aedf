import { join } from "node:path";
import { readCheckout } from "../cloud-init/checkout.ts";
import { customData } from "../cloud-init/user-data.ts";

/**
 * What the machine runs on its first boot: this checkout's signer and the machine's own files.
 * @returns ARM's `customData`, base64
 */
export function bootScript(): string {
  const checkout = readCheckout(join(import.meta.dirname, ".."));
  return Buffer.from(customData(checkout, { ssh: false, maintenance: "04:30" })).toString("base64");
}
