/**
 * TypeScript without the comments that have lines of their own. They are two fifths of the signer once compressed, and
 * customData is small; the checkout has them. Every line of code keeps its number, so a stack trace from the machine
 * points into the checkout.
 * @module
 */

/** A block comment that begins a line and ends one; Biome leaves no code beside it. */
const BLOCK = /^[ \t]*\/\*\*?(?!\/)[\s\S]*?\*\/[ \t]*$/gm;
const LINE = /^[ \t]*\/\/.*$/gm;

/**
 * Blanks comments on lines of their own; a comment behind code stays.
 * Assumes that no string or template has a line that begins like a comment (test/cloud-init/comments.test.ts holds
 * the signer to that).
 */
export function withoutComments(source: string): string {
  return source.replace(BLOCK, (comment) => "\n".repeat(comment.split("\n").length - 1)).replace(LINE, "");
}
