import { existsSync } from "node:fs";
import { resolve } from "node:path";

/**
 * How this program's own commands are called where it runs. Every text that names one has it from here, so that what a person
 * reads is what works there.
 * @module
 */

/** How it is called by its name: on the machine, and where a release is on PATH. */
export const PROGRAM = "tezos-signer";
/** How it is called in the folder of a checkout, which has no program of that name. */
export const IN_CHECKOUT = "npm run signer --";

/**
 * Finds the release's own program in a folder: every release has this file, and no checkout.
 * @param folder the one that holds signer/
 */
export function programIn(folder: string): string {
  return existsSync(resolve(folder, "MANIFEST")) ? PROGRAM : IN_CHECKOUT;
}

/** How it is called here. */
export const OWN_PROGRAM = programIn(resolve(import.meta.dirname, ".."));

/** Returns a command as it is typed where this program runs. @param words such as `keys bind --name baker` */
export function ownCommand(words: string): string {
  return `${OWN_PROGRAM} ${words}`;
}

/**
 * Returns a command as it is typed in the checkout that a stack was made from: what asks a vault as its owner is of no use on
 * the machine.
 * @param words as for {@link ownCommand}
 */
export function ownersCommand(words: string): string {
  return `${IN_CHECKOUT} ${words}`;
}
