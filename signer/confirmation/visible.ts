import { isLetter } from "../invisible-characters.ts";

/**
 * Makes any text fit to be shown at a terminal, and folds it: what comes out has only characters that take the columns
 * which are counted for them, from left to right. Pure.
 * @module
 */

/** What has a shorter escape than its number. */
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Returns a text in which every character can be seen: what is no letter of its own is escaped, the line before values too. */
export function visible(text: string): string {
  let shown = "";
  for (const character of text) {
    shown += isLetter(character) ? character : (SHORT[character] ?? `\\u{${character.codePointAt(0)?.toString(16)}}`);
  }
  return shown;
}

/** Counts the columns of a visible text. What is not ASCII counts as wide: some terminals show it so. */
export function columns(text: string): number {
  let count = 0;
  for (const character of text) count += character <= "~" ? 1 : 2;
  return count;
}

/** Breaks a visible text after so many columns, wherever that is. @returns one line at least */
export function fold(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const character of text) {
    const wide = columns(character);
    if (used + wide > width) {
      lines.push(line);
      line = "";
      used = 0;
    }
    line += character;
    used += wide;
  }
  return [...lines, line];
}

/** Breaks words of the signer's own between them. */
export function foldWords(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (columns(longer) <= width) line = longer;
    else {
      if (line !== "") lines.push(line);
      const [last = "", ...before] = fold(word, width).toReversed();
      lines.push(...before.toReversed());
      line = last;
    }
  }
  return [...lines, line];
}

/** Cuts a visible text to one line, and says how much is missing. */
export function shorten(text: string, width: number): string {
  if (columns(text) <= width) return text;
  const [head = ""] = fold(text, width - " (+32768 characters)".length);
  return `${head} (+${[...text].length - [...head].length} characters)`;
}
