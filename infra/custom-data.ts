import { join } from "node:path";
import { readCheckout } from "../cloud-init/checkout.ts";
import { customData } from "../cloud-init/user-data.ts";
import type { Settings } from "./settings.ts";

/** When the machine installs security upgrades, and restarts if one asks for it: UTC, every day. */
const MAINTENANCE = "04:30";

/**
 * What the machine runs on its first boot: this checkout's signer and the machine's own files.
 * @returns ARM's `customData`, base64
 */
export function bootScript({ adminIp }: Settings): string {
  const checkout = readCheckout(join(import.meta.dirname, ".."));
  const bytes = customData(checkout, { ssh: adminIp.length > 0, maintenance: MAINTENANCE });
  return Buffer.from(bytes).toString("base64");
}
