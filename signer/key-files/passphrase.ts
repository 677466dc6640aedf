import { randomBytes } from "node:crypto";

/**
 * Passphrases made for paper: 26 random symbols of five bits (130 bits) and two check symbols, in seven groups of four.
 *
 * The alphabet is Crockford's base 32: digits and capitals without I, L, O and U, so that a digit and a letter are the
 * only pairs of look-alikes left (0 and D, 2 and Z, 5 and S, 8 and B), and the line of kinds below tells those apart.
 * The check symbols are a Reed-Solomon code over GF(32): any two wrong symbols are noticed, and one is found.
 * Bytes, not strings, since bytes can be wiped.
 * @module
 */
const ALPHABET = Buffer.from("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
const RANDOM_SYMBOLS = 26;
const SYMBOLS = 28;
const GROUP = 4;
const DASH = 0x2d;
const SPACE = 0x20;

/** What a hand writes or types for a symbol that it cannot be: the letters that the alphabet leaves out. */
const READ_AS: Readonly<Record<string, string>> = { O: "0", I: "1", L: "1", U: "V" };

/** Powers of the generator 2 of GF(32), modulo x^5 + x^2 + 1. */
const POWERS = Array.from({ length: 31 }, () => 0);
for (let index = 0, power = 1; index < 31; index++) {
  POWERS[index] = power;
  power = power & 16 ? (power << 1) ^ 0b100101 : power << 1;
}

function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return POWERS[(POWERS.indexOf(a) + POWERS.indexOf(b)) % 31] ?? 0;
}

function divide(a: number, b: number): number {
  if (a === 0) return 0;
  return POWERS[(POWERS.indexOf(a) + 31 - POWERS.indexOf(b)) % 31] ?? 0;
}

/** Both sums are zero for a passphrase without a fault: the symbols, and the symbols times their position's power. */
function syndromes(symbols: Uint8Array): [number, number] {
  let plain = 0;
  let weighted = 0;
  symbols.forEach((symbol, index) => {
    plain ^= symbol;
    weighted ^= multiply(symbol, POWERS[index] ?? 0);
  });
  return [plain, weighted];
}

/** Makes a new passphrase as it is printed, typed and used: ASCII, 34 bytes. */
export function makePassphrase(): Buffer {
  const symbols = Buffer.alloc(SYMBOLS);
  const random = randomBytes(RANDOM_SYMBOLS);
  random.forEach((byte, index) => {
    symbols[index] = byte & 31;
  });
  random.fill(0);
  const [plain, weighted] = syndromes(symbols);
  const [first = 0, second = 0] = POWERS.slice(RANDOM_SYMBOLS, SYMBOLS);
  const last = divide(weighted ^ multiply(plain, first), first ^ second);
  symbols[SYMBOLS - 2] = plain ^ last;
  symbols[SYMBOLS - 1] = last;
  const made = print(symbols);
  symbols.fill(0);
  return made;
}

function print(symbols: Uint8Array): Buffer {
  const text = Buffer.alloc(SYMBOLS + SYMBOLS / GROUP - 1, DASH);
  symbols.forEach((symbol, index) => {
    text[index + Math.floor(index / GROUP)] = ALPHABET[symbol] ?? 0;
  });
  return text;
}

/** Makes the line to write under a passphrase, on the same paper: N for a number, L for a letter. */
export function kinds(passphrase: Uint8Array): string {
  return Array.from(passphrase, (byte) => (byte === DASH ? "-" : byte <= 0x39 ? "N" : "L")).join("");
}

/** What was typed, seen as a passphrase made here. */
export type Typed =
  /** As it was made, whatever the case and the spacing typed. */
  | { readonly form: "made"; readonly passphrase: Buffer }
  /** 28 symbols, but not as made; `group` (1 to 7) is where the fault is if only one symbol is wrong. */
  | { readonly form: "mistyped"; readonly group?: number }
  /** Of another form: the user's own, or one with a symbol missing or too many. */
  | { readonly form: "other" };

/** Reads what a person typed from paper: spaces and dashes are ignored, small letters are capitals, O is 0, I and L are 1. */
export function readTyped(typed: Uint8Array): Typed {
  const symbols = Buffer.alloc(SYMBOLS);
  try {
    let count = 0;
    for (const byte of typed) {
      if (byte === DASH || byte === SPACE) continue;
      const capital = String.fromCharCode(byte).toUpperCase();
      const symbol = ALPHABET.indexOf(READ_AS[capital] ?? capital);
      if (symbol < 0 || count === SYMBOLS) return { form: "other" };
      symbols[count++] = symbol;
    }
    if (count < SYMBOLS) return { form: "other" };
    const [plain, weighted] = syndromes(symbols);
    if (plain === 0 && weighted === 0) return { form: "made", passphrase: print(symbols) };
    const position = plain === 0 || weighted === 0 ? SYMBOLS : POWERS.indexOf(divide(weighted, plain));
    return position < SYMBOLS ? { form: "mistyped", group: Math.floor(position / GROUP) + 1 } : { form: "mistyped" };
  } finally {
    symbols.fill(0);
  }
}

/**
 * Tells whether a passphrase of the user's own can be used, and typed again on any computer.
 * @returns what is wrong with it, as a sentence; undefined if nothing is
 */
export function faultOfOwnPassphrase(passphrase: Uint8Array): string | undefined {
  if (passphrase.some((byte) => byte < 0x20 || byte > 0x7e)) {
    return "Use plain ASCII characters only: another keyboard or terminal may type others differently.";
  }
  if (passphrase.length < 16) {
    return "Use at least 16 characters. A short passphrase can be guessed by whoever finds the key file.";
  }
  if (passphrase.length > 200) return "Use at most 200 characters.";
  return undefined;
}
