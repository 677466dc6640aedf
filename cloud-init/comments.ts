/** A block comment that begins a line and ends one; Biome leaves no code beside it. */
const BLOCK = /^[ \t]*\/\*[\s\S]*?\*\/[ \t]*$/gm;
const LINE = /^[ \t]*\/\/.*$/gm;

/** Blanks the comments that have lines of their own; every other line keeps its number. */
export function withoutComments(source: string): string {
  return source.replace(BLOCK, (comment) => "\n".repeat(comment.split("\n").length - 1)).replace(LINE, "");
}
