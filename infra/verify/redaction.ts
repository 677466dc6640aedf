/**
 * Leaves out of a text what nobody else need know. Pure.
 * @module
 */

/** Patterns in the order in which they are looked for, and what stands in their place. */
const HIDDEN: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, "TOKEN"],
  [/\b(?:edsk|spsk|p2sk|BLsk|edesk|spesk|p2esk|BLesk)[1-9A-HJ-NP-Za-km-z]{20,}/g, "SECRET-KEY"],
  [/(?<=(?:AccountKey|sig|password|secret|client_secret|access_token)["']?\s*[=:]\s*["']?)[^\s"'&;]{8,}/gi, "SECRET"],
  [/-----BEGIN[\s\S]*?(?:-----END[A-Z ]*-----|$)/g, "PEM"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "ID"],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, "MAIL"],
  // A folder of a person's, in what Pulumi says of its files.
  [/(?<=[/\\](?:home|Users)[/\\])[^/\\\s:"']+/g, "NAME"],
  [/\b(?:tz[1-4]|KT1)[1-9A-HJ-NP-Za-km-z]{33}\b/g, "TEZOS-ADDRESS"],
  [/\b(?:edpk|sppk|p2pk|BLpk)[1-9A-HJ-NP-Za-km-z]{40,}/g, "PUBLIC-KEY"],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?(?![\w.]*\d)/g, "ADDRESS"],
  // With `::` where it is short, or all eight groups.
  [/(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])/gi, "ADDRESS"],
  [/(?<![\w:])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![\w:])/gi, "ADDRESS"],
  [/(?<![\w:])(?:[0-9a-f]{1,4}:){1,7}:(?![\w:])/gi, "ADDRESS"],
  // The stack's random id, which is the end of its names, and what else is long and without a meaning: keys, hashes.
  [/(?<![0-9a-f])[0-9a-f]{16,}(?![0-9a-f])/gi, "ID"],
  [/[A-Za-z0-9+/_-]{60,}={0,2}/g, "SECRET"],
];

/** Returns a text without secrets, ids, addresses and the name of whoever is at this computer. */
export function redacted(text: string): string {
  return HIDDEN.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), text);
}
