/**
 * A source file of the signer as the machine gets it: without types, and without the comments that have lines of their
 * own. That is half of the signer once compressed, customData is small, and the checkout has both. Blanks stand in
 * their place, so every token keeps its line and column: what runs is what Node.js itself would make of the file
 * (it strips types the same way), and a stack trace from the machine points into the checkout.
 * @module
 */
import blankTypes from "ts-blank-space";
import { withoutComments } from "./comments.ts";

/**
 * Blanks types and comments; a comment behind code stays.
 * Assumes that no string or template has a line that begins like a comment or ends in spaces
 * (test/cloud-init/machine-source.test.ts holds the signer to that).
 * @throws Error if the file uses TypeScript that cannot be blanked, such as an enum
 */
export function machineSource(path: string, source: string): string {
  const bare = withoutComments(source);
  if (!path.endsWith(".ts")) return bare;
  const blank = blankTypes(bare, (node) => {
    throw new Error(`${path} uses TypeScript that cannot be blanked: ${bare.slice(node.pos, node.end).trim()}`);
  });
  return blank.replace(/[ \t]+$/gm, "");
}
