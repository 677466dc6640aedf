/**
 * Which characters of a text from elsewhere (a node, a vault, a table, a client) a person may be shown: the one table, for
 * terminals, the log, answers and the operators' socket, and for the question, which is stricter.
 * @module
 */

/**
 * Characters that a reader does not see, or that move what he sees: controls, marks of direction, characters of no width,
 * separators of lines, and what has no meaning.
 */
export const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** ASCII, and the letters of scripts that run from left to right, one by one. */
const LETTERS = /^[ -~\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]$/u;
/** Marks, and parts of Korean syllables, which stack on the letter before. */
const STACKED = /^[\p{M}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]$/u;

/**
 * Tells whether a character takes columns of its own, from left to right, and is no other's: where columns are counted
 * nothing else is shown.
 */
export function isLetter(character: string): boolean {
  return LETTERS.test(character) && !STACKED.test(character) && character.search(INVISIBLE) < 0;
}

/**
 * Writes what is not seen as JSON's own escapes, so that a terminal shows it, no reader of lines takes it for an end
 * (U+2028), and a reader of JSON gets what was meant.
 * @param json on one line
 */
export function visibleJson(json: string): string {
  return json.replaceAll(INVISIBLE, (character) => (character === "\n" ? character : escapes(character)));
}

/** One for each unit of UTF-16, as JSON has them. */
function escapes(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }).join("");
}
