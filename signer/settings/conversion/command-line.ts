import { ConversionError } from "./conversion.ts";

/** A command as a unit of systemd, a script or a hand started it. */
export interface StartLine {
  readonly words: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Finds the line that starts a program in a systemd unit, a script or a bare command line, with the environment that the
 * text gives it.
 * @param program what the line must contain
 * @throws ConversionError where there is none, or more than one
 */
export function readStartLine(text: string, program: RegExp, example: string): StartLine {
  const lines = text
    .replaceAll(/\\\r?\n\s*/g, " ")
    .split(/\r?\n/)
    .filter((line) => !/^\s*[#;]/.test(line));
  const starts = lines.filter((line) => program.test(line));
  const [start, ...more] = starts;
  if (start === undefined) throw new ConversionError(`There is no line that starts it, such as: ${example}`);
  if (more.length > 0) {
    const places = starts.map((line) => lines.indexOf(line) + 1).join(", ");
    throw new ConversionError(`${starts.length} lines start it (${places}): give a file with one of them.`);
  }
  const environment = new Map<string, string>();
  for (const line of lines) {
    const [, given] = /^\s*(?:Environment\s*=|export\s)\s*(.*)$/.exec(line) ?? [];
    assignments(given === undefined ? [] : wordsOf(given), environment);
  }
  const words = wordsOf(start.replace(/^\s*ExecStart\s*=\s*[-@:+!]*/, ""));
  const first = words.findIndex((word) => !/^\w+=/.test(word));
  assignments(words.slice(0, first), environment);
  return { words: words.slice(first), environment };
}

function assignments(words: readonly string[], environment: Map<string, string>): void {
  for (const word of words) {
    const [, name, value = ""] = /^(\w+)=(.*)$/s.exec(word) ?? [];
    if (name !== undefined) environment.set(name, value);
  }
}

/** Words of a line, as a shell or systemd splits it; what it would put in for a variable stays as it is written. */
function wordsOf(line: string): string[] {
  const words = line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g);
  return [...words].map(([word]) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}

/** Options of a command: each by its long name, with its value, or true where it takes none. */
export type Options = ReadonlyMap<string, string | true>;

/**
 * Reads options.
 * @param known by each form the long name, and whether it takes a value
 * @returns the options, and the words that are none
 * @throws ConversionError for one that is not known
 */
export function readOptions(
  words: readonly string[],
  known: Readonly<Record<string, { readonly name: string; readonly value: boolean }>>,
): { readonly options: Options; readonly rest: readonly string[] } {
  const options = new Map<string, string | true>();
  const rest: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) {
      rest.push(word);
      continue;
    }
    const [, form = word, inline] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    const option = Object.hasOwn(known, form) ? known[form] : undefined;
    if (option === undefined) throw new ConversionError(`${shown(form)}: there is no such option of that signer.`);
    const value = option.value ? (inline ?? words[++at]) : true;
    if (value === undefined) throw new ConversionError(`${form}: has no value.`);
    options.set(option.name, value);
  }
  return { options, rest };
}

/** An option without what may hang on it: `-pVALUE` is one word. */
function shown(form: string): string {
  return form.startsWith("--") ? form : form.slice(0, 2);
}

/** Reads a port. @throws ConversionError */
export function readPort(text: string | true | undefined, place: string, fallback: number): number {
  if (text === undefined) return fallback;
  const port = Number(text);
  if (text !== true && /^\d+$/.test(text) && port <= 65_535) return port;
  throw new ConversionError(`${place}: must be a port, 0 to 65535.`);
}

/** Reads magic bytes, `0x11,0x12`. @throws ConversionError */
export function readMagicBytes(text: string, place: string): number[] {
  return text.split(",").map((each) => {
    if (/^(0x[0-9a-fA-F]{1,2}|\d{1,3})$/.test(each) && Number(each) < 256) return Number(each);
    throw new ConversionError(`${place}: must be magic bytes such as 0x11,0x12,0x13.`);
  });
}
