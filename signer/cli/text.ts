import { INVISIBLE } from "../invisible-characters.ts";

/** Columns of a terminal that texts are made for. */
export const WIDTH = 80;

/** Replaces what is not seen: a vault's tag, a node's answer or a file's content must not steer the terminal. */
export function harmless(text: string): string {
  return text.replaceAll(INVISIBLE, (character) => (character === "\n" ? character : "\u{fffd}"));
}

/** Lays out labels and values in two columns, as lines. */
export function table(rows: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join("\n");
}

/**
 * Breaks prose into lines of at most 80 columns. Lines that begin with a space stay as they are, and so does a word that
 * is longer than a line.
 * @param keepEnd keeps the space that ends a question
 */
export function wrap(text: string, keepEnd = false): string {
  const wrapped = text
    .split("\n")
    .map((line) => (line.startsWith(" ") ? line : wrapLine(line)))
    .join("\n");
  return keepEnd && text.endsWith(" ") ? `${wrapped} ` : wrapped;
}

function wrapLine(line: string): string {
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ").filter((word) => word !== "")) {
    if (current === "") current = word;
    else if (current.length + 1 + word.length < WIDTH) current += ` ${word}`;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current].join("\n");
}

/**
 * Puts a label before a text, and what does not fit in the line under the text. Breaks between words; one that is longer than
 * the line stays whole.
 * @param label as wide as it is to be
 * @param columns of a line
 */
export function hang(label: string, text: string, columns: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && label.length + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return `${label}${[...lines, line].join(`\n${" ".repeat(label.length)}`)}`;
}

/** Returns a word as a shell takes it: in quotes where it has more than plain characters. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
