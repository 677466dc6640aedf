/**
 * Makes any text fit to be shown at a terminal, and folds it: what comes out has only characters that take the columns
 * which are counted for them, from left to right. Pure.
 * @module
 */

/**
 * What is shown as it is: ASCII, and the letters of scripts that run from left to right, one by one. Everything else is
 * escaped: control characters, those of no width, those that turn the direction, marks and parts of Korean syllables that
 * stack on others, and the line that stands before values.
 */
const SHOWN = /[ -~\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u;
const NOT_SHOWN = /[\p{M}\p{C}\p{Default_Ignorable_Code_Point}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/u;

/** What has a shorter escape than its number. */
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Returns a text in which every character can be seen. */
export function visible(text: string): string {
  let shown = "";
  for (const character of text) {
    const isShown = SHOWN.test(character) && !NOT_SHOWN.test(character);
    shown += isShown ? character : (SHORT[character] ?? `\\u{${character.codePointAt(0)?.toString(16)}}`);
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
