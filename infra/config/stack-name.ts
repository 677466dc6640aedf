/**
 * The stack's name, as far as Azure takes what is made of it. Pure.
 * @module
 */

/** Stands before the stack's name in the name of its resource group. */
const PREFIX = "tezos-signer-";

/** Azure's limit for a resource group's name (resource-name-rules). */
const LONGEST = 90;

/** Returns the name of a stack's resource group. */
export function groupName(stack: string): string {
  return `${PREFIX}${stack}`;
}

/** Says why Azure would refuse a stack's resource group; undefined where it takes it. */
export function groupMistake(stack: string): string | undefined {
  const name = groupName(stack);
  if (stack === "") return "is empty; the resource group is named by it";
  if (name.length > LONGEST) {
    return `has ${stack.length} characters; the resource group is ${PREFIX}NAME, and Azure takes ${LONGEST - PREFIX.length} after that`;
  }
  if (!/^[\p{L}\p{N}_().-]+$/u.test(name)) {
    return "names the resource group, and Azure takes letters, digits, _, -, ., ( and ) in that";
  }
  return name.endsWith(".") ? "names the resource group, and Azure takes no period at its end" : undefined;
}
