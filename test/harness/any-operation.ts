import fc from "fast-check";
import { FORMATS, type Format } from "../../signer/confirmation/formats.ts";
import { encode, PREFIX_LENGTHS, type Prefix } from "../../signer/tezos/crypto/base58.ts";
import type { Micheline } from "../../signer/tezos/payload/micheline.ts";
import { OPERATION_KINDS, OPERATION_TAGS, type Operation } from "../../signer/tezos/payload/operation.ts";
import { anyCharacter } from "./any-character.ts";

/**
 * Operations of every kind with anything in their fields that a decoder could give, and what an attacker would put there.
 * @module
 */

const base58 = (...prefixes: readonly Prefix[]) =>
  fc
    .constantFrom(...prefixes)
    .chain((prefix) =>
      fc
        .uint8Array({ minLength: PREFIX_LENGTHS[prefix], maxLength: PREFIX_LENGTHS[prefix] })
        .map((bytes) => encode(prefix, bytes)),
    );
const address = base58("tz1", "tz2", "tz3", "tz4", "KT1");
const hash = base58("P", "src1", "srs1", "BLsig");
const amount = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.bigInt({ min: 0n, max: 9_999_999n }));
const level = fc.integer({ min: 0, max: 2 ** 31 - 1 });

/** Lines that look like the signer's own, and whatever steers, widens or empties a terminal. */
const HOSTILE = [
  "\n".repeat(60),
  " ".repeat(5_000),
  "\nTo        │ tz2QPsZoZse4eeahhg5DdfnBDB4VbU1PwgxN 0.5 tez\n",
  "Request 1, 4:59 left> ",
  "\x1b[2J\x1b[H\x1b[6n\r",
  "\u202e\u2066\u200b\u200d\u00ad\u115f\u2800\u3164",
  "e\u0301\u0301\u0301\u0301",
  "👩‍👩‍👧‍👦🇩🇪",
  "漢字かな한글",
  "שלום ﷽",
  "│ ┃ | ",
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "grapheme" }), fc.string({ unit: anyCharacter })), {
    maxLength: 6,
  })
  .map((pieces) => pieces.join(""));
const hex = fc.oneof(
  text.map((characters) => Buffer.from(characters).toString("hex")),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("hex")),
);

const { expression } = fc.letrec<{ expression: Micheline }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3 },
    // A Michelson string holds printable ASCII and line feeds only; more may come of a decoder that has a fault.
    text.map((string) => ({ string })),
    hex.map((bytes) => ({ bytes })),
    fc.bigInt().map((int) => ({ int: String(int) })),
    fc.array(tie("expression"), { maxLength: 3 }),
    fc.record({ prim: fc.constantFrom("Pair", "Unit", "Some"), args: fc.array(tie("expression"), { maxLength: 3 }) }),
  ),
}));

const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const sections = fc.array(fc.record({ state: maybe(hash), tick: amount }), { maxLength: 5 });
const vote = fc.record({
  kind: fc.constantFrom("preattestation", "attestation_with_dal", "attestations_aggregate"),
  level,
  round: level,
});

const VALUES: Readonly<Record<Format, fc.Arbitrary<unknown>>> = {
  tez: amount,
  number: amount,
  name: fc.stringMatching(/^[\w.%@]{1,31}$/),
  address,
  delegate: maybe(address),
  key: base58("edpk", "sppk", "p2pk", "BLpk"),
  hash: maybe(hash),
  hex,
  text: hex,
  micheline: expression,
  stakingTerms: fc.oneof(
    expression,
    fc.tuple(fc.bigInt(), fc.bigInt()).map(([limit, edge]) => ({
      prim: "Pair",
      args: [{ int: String(limit) }, { int: String(edge) }, { prim: "Unit" }],
    })),
  ),
  addresses: maybe(fc.array(address, { maxLength: 5 })),
  hashes: fc.array(hash, { maxLength: 20 }),
  texts: fc.array(hex, { maxLength: 5 }),
  numbers: fc.array(level, { maxLength: 500 }),
  sections,
  refutation: fc.oneof(
    fc.record({ move: fc.constant("start"), playerCommitment: hash, opponentCommitment: hash }),
    fc.record({
      move: fc.constant("dissection"),
      choice: amount,
      sections,
    }),
    fc.record({ move: fc.constant("proof"), choice: amount, proof: hex, input: fc.constantFrom("none", "DAL page") }),
  ),
  vote,
  block: fc.record({ level, round: level }),
};

/** An operation of a kind, as a decoder could give it. */
const anyOperation: fc.Arbitrary<Operation> = fc.constantFrom(...OPERATION_KINDS).chain((kind) => {
  const fields = Object.entries<Format>(FORMATS[kind]).map(([name, format]) => [name, VALUES[format]] as const);
  return fc
    .record(Object.fromEntries(fields))
    .map((values) => ({ kind, tag: OPERATION_TAGS[kind], ...values }) as unknown as Operation);
});

/** A batch, of operations that no chain would put together as well. */
export const anyOperations: fc.Arbitrary<readonly Operation[]> = fc.oneof(
  fc.array(anyOperation, { minLength: 1, maxLength: 1 }),
  fc.array(anyOperation, { minLength: 2, maxLength: 15 }),
);
