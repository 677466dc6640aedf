/**
 * Characters that a reader does not see, or that move what he sees: controls, marks of direction, characters of no width,
 * separators of lines. Texts of a node, a vault, a table or a client may hold them.
 */
export const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Writes them as JSON's own escapes, so that a terminal shows them and a reader of JSON gets what was meant. @param json on one line */
export function visibleJson(json: string): string {
  return json.replaceAll(INVISIBLE, (character) => (character === "\n" ? character : escapes(character)));
}

/** One for each unit of UTF-16, as JSON has them. */
function escapes(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }).join("");
}
