import { customData } from "../cloud-init/custom-data.ts";

/** What the machine runs on its first boot, as ARM's `customData`: base64. The same for every stack. */
export function bootScript(): string {
  return Buffer.from(customData()).toString("base64");
}
