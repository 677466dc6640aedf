import { networkInterfaces } from "node:os";
import { KeyError } from "../../key-files/key-error.ts";
import { readSmallFile } from "../../key-files/key-file.ts";
import { looksLikeOctezSecret, openOctezSecret, parseOctezSecret } from "../../key-files/octez-secret.ts";
import { readTyped, type Typed } from "../../key-files/passphrase.ts";
import { looksLikePem, openPem, parsePem } from "../../key-files/pem.ts";
import type { PrivateKey } from "../../key-files/private-key.ts";
import type { Terminal } from "../terminal.ts";

/** How often a passphrase may be mistyped before a command ends. */
const TRIES = 3;

/**
 * Opens a key file of any form: PEM of ours or of OpenSSL, or a secret key of octez. Asks for the passphrase if it
 * takes one.
 * @throws KeyError naming the file
 */
export async function openKeyFile(terminal: Terminal, path: string): Promise<PrivateKey> {
  const content = await readSmallFile(path);
  try {
    return await openKeyText(terminal, content.toString("utf8"));
  } catch (error) {
    if (error instanceof KeyError) throw new KeyError(error.problem, `${path}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    content.fill(0);
  }
}

/** Opens a key in any of those forms from its text. @throws KeyError */
export async function openKeyText(terminal: Terminal, text: string): Promise<PrivateKey> {
  if (looksLikePem(text)) {
    const pem = parsePem(text);
    return await open(terminal, pem.isEncrypted, async (typed) => openPem(pem, typed));
  }
  if (looksLikeOctezSecret(text)) {
    const secret = parseOctezSecret(text);
    return await open(terminal, secret.isEncrypted, (typed) => openOctezSecret(secret, typed));
  }
  throw new KeyError("unreadable", "This is neither a PEM private key nor a secret key of octez.");
}

type Attempt = (passphrase: Uint8Array) => Promise<PrivateKey>;

async function open(terminal: Terminal, isEncrypted: boolean, attempt: Attempt): Promise<PrivateKey> {
  if (!isEncrypted) {
    terminal.warn("this key is not encrypted. Whoever has read the file has the key.");
    return await attempt(Buffer.alloc(0));
  }
  for (let tries = 1; ; tries++) {
    const typed = await terminal.askSecret("Passphrase, typed from the paper: ");
    const read = readTyped(typed);
    try {
      return await tryEach(attempt, read.form === "made" ? [read.passphrase, typed] : [typed]);
    } catch (error) {
      if (!(error instanceof KeyError && error.problem === "wrong-passphrase")) throw error;
      const hint = hintOf(read);
      if (tries === TRIES) throw new KeyError(error.problem, `${error.message} ${hint}`, { cause: error });
      terminal.say(`That passphrase does not open the key. ${hint}`);
    } finally {
      typed.fill(0);
      if (read.form === "made") read.passphrase.fill(0);
    }
  }
}

/** A passphrase made here has one form on paper; a user's own may by chance look like one, so both are tried. */
async function tryEach(attempt: Attempt, passphrases: readonly Uint8Array[]): Promise<PrivateKey> {
  const [first = Buffer.alloc(0), ...others] = passphrases;
  try {
    return await attempt(first);
  } catch (error) {
    const isWrong = error instanceof KeyError && error.problem === "wrong-passphrase";
    if (!isWrong || others.length === 0) throw error;
    return await tryEach(attempt, others);
  }
}

/** Returns what can be said about a passphrase that did not open the key, without repeating it. */
export function hintOf(read: Typed): string {
  if (read.form === "made") {
    return "It was typed without a fault, so it belongs to another key, or to another copy of this one.";
  }
  if (read.form === "other") return "Compare it with the paper, character by character.";
  const where = read.group === undefined ? "more than one character is wrong" : `look at group ${read.group}`;
  return `If this tool made it, it was mistyped or miscopied: ${where}.`;
}

/** Says so if this computer is on a network: a key that matters is handled on one that is not. @returns whether it is */
export function warnIfConnected(terminal: Terminal): boolean {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
    list.filter(({ internal }) => !internal).map(({ address }) => `${name} ${address}`),
  );
  if (addresses.length === 0) return false;
  terminal.warn(
    `this computer is on a network (${addresses.slice(0, 3).join(", ")}). A key that guards money is handled on a computer that has none: see docs/keys.md.`,
  );
  return true;
}
