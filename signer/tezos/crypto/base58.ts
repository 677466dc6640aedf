import bs58check from "bs58check";

/**
 * Base58check as Tezos uses it: a few leading bytes, chosen so that the text begins with a readable prefix.
 * Source: octez src/lib_crypto/base58.ml, module Prefix; KT1 from the protocol's contract_hash.ml, vh from
 * block_payload_hash.ml, expr from script_expr_hash.ml.
 * @module
 */

/** Bytes before the content, in hex, and the length of the content. A name is how the text begins. */
const PREFIXES = {
  tz1: ["06a19f", 20],
  tz2: ["06a1a1", 20],
  tz3: ["06a1a4", 20],
  tz4: ["06a1a6", 20],
  tz5: ["06a1a9", 20],
  KT1: ["025a79", 20],
  sr1: ["067c75", 20],
  edpk: ["0d0f25d9", 32],
  sppk: ["03fee256", 33],
  p2pk: ["03b28b7f", 33],
  BLpk: ["069587cc", 48],
  /** Ed25519 seed. */
  edsk: ["0d0f3a07", 32],
  /** Ed25519 seed and public key together, the older form; its text begins with edsk too. */
  edsk64: ["2bf64e07", 64],
  spsk: ["11a2e0c9", 32],
  p2sk: ["1051eebd", 32],
  BLsk: ["0396c028", 32],
  edesk: ["075a3cb329", 56],
  spesk: ["09edf1ae96", 56],
  p2esk: ["09303973ab", 56],
  BLesk: ["02051e3519", 56],
  edsig: ["09f5cd8612", 64],
  spsig1: ["0d7365133f", 64],
  p2sig: ["36f02c34", 64],
  BLsig: ["28ab40cf", 96],
  /** A signature of any of the three 64-byte schemes. */
  sig: ["04822b", 64],
  /** Chain id. */
  Net: ["575200", 4],
  /** Block hash. */
  B: ["0134", 32],
  /** Operation hash. */
  o: ["0574", 32],
  /** Protocol hash. */
  P: ["02aa", 32],
  /** Block payload hash. */
  vh: ["016af2", 32],
  /** Script expression hash. */
  expr: ["0d2c401b", 32],
  /** Smart rollup commitment. */
  src1: ["11a5868a", 32],
  /** Smart rollup state. */
  srs1: ["11a5ebf0", 32],
  /** Commitment to a data availability slot. */
  sh: ["0274b4", 48],
} as const satisfies Record<string, readonly [string, number]>;

/** How a base58check text of Tezos begins; `edsk64` is the 64-byte form of edsk. */
export type Prefix = keyof typeof PREFIXES;

/** A text or a key that is not what it should be. The message never repeats the text: it may be a secret. */
export class EncodingError extends Error {
  override readonly name = "EncodingError";
}

/** The longest text of the table is a BLsig of 142 characters; decoding takes quadratic time, so no more is tried. */
const MAX_TEXT = 160;

/** The length of each prefix's content in bytes. */
export const PREFIX_LENGTHS = Object.fromEntries(
  Object.entries(PREFIXES).map(([prefix, [, length]]) => [prefix, length]),
) as Readonly<Record<Prefix, number>>;

const LEADS = Object.fromEntries(
  Object.entries(PREFIXES).map(([prefix, [lead]]) => [prefix, Buffer.from(lead, "hex")]),
) as Readonly<Record<Prefix, Buffer>>;

/**
 * Encodes bytes in base58check.
 * @param prefix how the text shall begin
 * @param bytes the content, of exactly the prefix's length
 * @throws EncodingError for another length
 */
export function encode(prefix: Prefix, bytes: Uint8Array): string {
  const length = PREFIX_LENGTHS[prefix];
  if (bytes.length !== length) throw new EncodingError(`${prefix} takes ${length} bytes, not ${bytes.length}`);
  const lead = LEADS[prefix];
  const whole = new Uint8Array(lead.length + length);
  whole.set(lead);
  whole.set(bytes, lead.length);
  return bs58check.encode(whole);
}

/**
 * Decodes base58check.
 * @param text base58check
 * @param allowed the prefixes that may stand here; none given means any of the table
 * @returns which one it is, and its content
 * @throws EncodingError when the checksum is wrong or the prefix is another
 */
export function decode<P extends Prefix = Prefix>(text: string, ...allowed: P[]): { prefix: P; bytes: Uint8Array } {
  const whole = text.length > MAX_TEXT ? undefined : bs58check.decodeUnsafe(text);
  if (whole === undefined) throw unexpected(allowed, ": too long, or a character is mistyped");
  const found = recognise(whole);
  if (found === undefined) throw unexpected(allowed, ", but this begins with no known prefix");
  if (allowed.length > 0 && !(allowed as Prefix[]).includes(found)) throw unexpected(allowed, `, but this is ${found}`);
  return { prefix: found as P, bytes: whole.subarray(LEADS[found].length) };
}

function unexpected(allowed: readonly Prefix[], why: string): EncodingError {
  const or = new Intl.ListFormat("en-GB", { type: "disjunction" });
  const wanted = allowed.length === 0 ? "base58check of Tezos" : `${or.format(allowed)} in base58check`;
  return new EncodingError(`expected ${wanted}${why}`);
}

function recognise(whole: Uint8Array): Prefix | undefined {
  return (Object.keys(PREFIXES) as Prefix[]).find((prefix) => {
    const lead = LEADS[prefix];
    return whole.length === lead.length + PREFIX_LENGTHS[prefix] && lead.every((byte, at) => whole[at] === byte);
  });
}
