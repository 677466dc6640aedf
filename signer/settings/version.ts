import { createHash } from "node:crypto";

/** Tells settings from others: the beginning of their text's SHA-256, 12 hex digits. /status has those in use. */
export function settingsVersion(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
