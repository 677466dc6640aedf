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
