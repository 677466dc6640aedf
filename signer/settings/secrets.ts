import { type Document, parseDocument, type YAMLError } from "yaml";

/**
 * What a message about settings may not repeat: messages reach the log, the console and /status, and a secret is pasted into
 * the wrong place exactly where there is a mistake to report. So YAML is read here, by everything that reads it.
 * @module
 */

/** Stands where a secret would be. */
export const HIDDEN = "(it looks like a secret and is not shown)";

/** Texts that are public though they are as long as a secret: keys, addresses and ids of chains. */
const PUBLIC = /^(?:(?:ed|sp|p2|BL)pk|tz[1-5]|KT1|Net)[0-9A-Za-z]*$/;

const SECRET: readonly RegExp[] = [
  // A private key of Tezos, encrypted or not.
  /(?:ed|sp|p2|BL)e?sk[1-9A-HJ-NP-Za-km-z]{3}/,
  /unencrypted:/,
  /PRIVATE KEY/,
  // 32 bytes or more, in hex.
  /[0-9A-Fa-f]{64}/,
  // What YAML makes of 0x and so many digits: a number that has lost the last ones only.
  /^\d(?:\.\d+)?e\+\d+$/,
  // The user of a URL, who has a password or is one; a password with a slash; and both without a scheme.
  /:\/\/[^/?#\s]*@/,
  /:\/\/[^/?#\s:]*:\S*@/,
  /^[^/\s]*:[^/\s]*@/,
  // What a URL's query tells: a key for its service, or the signature of a shared link of Azure.
  /:\/\/\S*\?\S*=/,
  /[?&]sig=/i,
];

/** Base64 of 32 bytes or more has all three of them; a path or a key's name and version seldom does. */
const BASE64 = /[0-9A-Za-z+/_-]{43,}/g;
const MIXED = /^(?=.*[0-9])(?=.*[A-Z])(?=.*[a-z])/;

/** Returns whether a value that was given, a name or a message may hold a private key, a password or a token. */
export function mayBeSecret(text: string): boolean {
  if (PUBLIC.test(text)) return false;
  return SECRET.some((pattern) => pattern.test(text)) || (text.match(BASE64) ?? []).some((run) => MIXED.test(run));
}

/** Returns a text that was given, or HIDDEN in its place. */
export function unlessSecret(text: string): string {
  return mayBeSecret(text) ? HIDDEN : text;
}

/**
 * Reads a YAML text.
 * @returns its value, or a line for each fault that says what is wrong and where, and quotes no secret
 */
export function readYaml(text: string): { readonly value: unknown } | { readonly faults: readonly string[] } {
  const document = parseDocument(text, { prettyErrors: true });
  const faults = [...document.errors, ...document.warnings];
  return faults.length > 0 ? { faults: faults.map(wordFault) } : resolve(document);
}

function wordFault({ message, code, linePos }: YAMLError): string {
  const [line = message] = message.split("\n");
  return mayBeSecret(line) ? `${code} at line ${linePos?.[0].line}` : line;
}

/** In place of yaml's own error, which quotes an alias that has no anchor. */
function resolve(document: Document): ReturnType<typeof readYaml> {
  try {
    return { value: document.toJS() };
  } catch {
    return {
      faults: ["its aliases (*NAME) lead nowhere, or are too many; a text that begins with * must be in quotes"],
    };
  }
}
