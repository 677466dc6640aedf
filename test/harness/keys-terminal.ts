import { join } from "node:path";
import { type Answer, compiled, inTerminal, type Session } from "./pseudo-terminal.ts";

const ENTRY = join(import.meta.dirname, "../../signer/tezos-signer.js");

/** The made passphrase on the screen of `keys generate` or `keys convert`. */
export function shownPassphrase(screen: string): string {
  return /Passphrase +((?:[0-9A-Z]{4}-){6}[0-9A-Z]{4})/.exec(screen)?.[1] ?? "";
}

/** Answers that a test may be asked for, depending on the computer that it runs on. */
export const ALWAYS: readonly (readonly [RegExp, Answer])[] = [[/here all the same\? \[y\/N\] $/, "y"]];

/** Runs `tezos-signer keys …` in a pseudo-terminal. */
export function keys(
  args: readonly string[],
  answers: readonly (readonly [prompt: RegExp, answer: Answer])[] = [],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Session> {
  const env = { ...compiled(), ...options.env };
  return inTerminal([process.execPath, ENTRY, "keys", ...args], [...answers, ...ALWAYS], { ...options, env });
}
