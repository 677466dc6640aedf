import { type Document, isNode, isScalar, Lexer, LineCounter, parseDocument, visit, type YAMLError } from "yaml";

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
  return mayBeSecret(text) ? HIDDEN : brief(text);
}

/** So many characters of a text tell which one it is. */
const MOST_SHOWN = 200;

/** Returns the beginning of a text that was given: a message goes to the log and to /status. */
export function brief(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}… (${text.length} characters)` : text;
}

/** Azure's limit of userData, 64 KiB in base64, leaves 48 KiB of text. No signer's settings come near it. */
export const MAX_LENGTH = 65_536;
/** Words, brackets, commas, blanks: the stack's own settings have some hundreds. What yaml does with more may take seconds. */
const MAX_TOKENS = 10_000;
/** As many faults of one text are told. */
const MAX_FAULTS = 10;

/**
 * Reads a YAML text. A text that would keep the process busy is refused by its size, before it is parsed.
 * @param options.merge whether `<<` takes in another mapping, as the readers of YAML 1.1 do in Go and Python
 * @returns its value, or a line for each fault that says what is wrong and where, and quotes no secret
 */
export function readYaml(
  text: string,
  { merge = false }: { readonly merge?: boolean } = {},
): { readonly value: unknown } | { readonly faults: readonly string[] } {
  const excess = excessOf(text);
  if (excess !== undefined) return { faults: [excess] };
  const lines = new LineCounter();
  // Without yaml's own words for a fault's place, which it makes for each of thousands.
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines, merge });
  const found = [...document.errors, ...document.warnings];
  if (found.length === 0) return resolve(document, lines);
  const faults = found.slice(0, MAX_FAULTS).map((fault) => wordFault(fault, lines));
  return { faults: found.length > MAX_FAULTS ? [...faults, `and ${found.length - MAX_FAULTS} more`] : faults };
}

function excessOf(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `it is too long: ${text.length} characters, of at most ${MAX_LENGTH}`;
  let tokens = 0;
  for (const _ of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > MAX_TOKENS) return `it has more than ${MAX_TOKENS} names, values and marks, which no settings need`;
  }
  return undefined;
}

function wordFault({ message, code, pos: [offset] }: YAMLError, lines: LineCounter): string {
  const { line, col } = lines.linePos(offset);
  const place = `at line ${line}, column ${col}`;
  if (/call stack/.test(message)) return `it is nested too deep ${place}`;
  return mayBeSecret(message) ? `${code} at line ${line}` : `${brief(message)} ${place}`;
}

/** In place of yaml's own error, which quotes an alias that has no anchor. */
function resolve(document: Document, lines: LineCounter): ReturnType<typeof readYaml> {
  try {
    const faults = wrongNames(document, lines);
    return faults.length > 0 ? { faults } : { value: document.toJS() };
  } catch {
    return {
      faults: ["its aliases (*NAME) lead nowhere, or are too many; a text that begins with * must be in quotes"],
    };
  }
}

/**
 * Finds the one name that JavaScript keeps for itself, and that whatever reads settings would pass over in silence; and the
 * names that are not written as such, an alias or a list, which may come to be that one.
 */
function wrongNames(document: Document, lines: LineCounter): string[] {
  const faults: string[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      const isText = isScalar(key) && typeof key.value !== "object";
      if (isText && key.value !== "__proto__") return;
      const { line, col } = lines.linePos(isNode(key) ? (key.range?.[0] ?? 0) : 0);
      const fault = isText ? "there is no such setting: __proto__" : "a name must be a plain text";
      faults.push(`${fault} at line ${line}, column ${col}`);
    },
  });
  return faults.slice(0, MAX_FAULTS);
}
