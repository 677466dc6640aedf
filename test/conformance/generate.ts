import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attestation, block, hash, int32, part, preattestation, vote } from "../fixtures/payloads.ts";
import type { Decision, Step, SuiteFile } from "./suite.ts";

/**
 * Makes the suite's files from the table below: node test/conformance/generate.ts
 * A file's levels begin at 1,000 times its number, so that all can be run one after the other on one key.
 * @module
 */

const CHAIN = "NetXnHfVqm9iesp";

type Fields = Parameters<typeof block>[0] & { slot?: number; branch?: Uint8Array; dal?: bigint | undefined };
type Maker = (fields: Fields) => Buffer;

const MAKERS = {
  block: (fields: Fields) => block({ chainId: CHAIN, ...fields }),
  preattestation: (fields: Fields) => preattestation({ chainId: CHAIN, ...fields }),
  attestation: (fields: Fields) => attestation({ chainId: CHAIN, ...fields }),
  "attestation with DAL": (fields: Fields) => attestation({ chainId: CHAIN, dal: 5n, ...fields }),
} as const satisfies Record<string, Maker>;

const OTHER = { payloadHash: hash(9) };

function signed(payload: Buffer, why: string): Decision {
  return { sign: payload.toString("hex"), expect: "signed", why };
}
function refused(payload: Buffer, why: string): Decision {
  return { sign: payload.toString("hex"), expect: "refused", why };
}
function same(payload: Buffer, step: number, why: string): Step {
  return { sign: payload.toString("hex"), expect: step, why };
}
const restart: Step = { restart: true };

/** Cases for every kind: what must come of a few requests at levels from `at`. */
const COMMON: Readonly<Record<string, (make: Maker, at: number) => Step[]>> = {
  "levels and rounds go up": (make, at) => [
    signed(make({ level: at }), "the first"),
    signed(make({ level: at, round: 1 }), "a higher round"),
    signed(make({ level: at, round: 4 }), "rounds may be left out"),
    signed(make({ level: at + 1 }), "a lower round at a higher level"),
    signed(make({ level: at + 9 }), "levels may be left out"),
  ],
  "other bytes at a signed position": (make, at) => [
    signed(make({ level: at }), "the first"),
    refused(make({ level: at, ...OTHER }), "other content"),
    signed(make({ level: at + 1 }), "the next level is free"),
    refused(make({ level: at + 1, ...OTHER }), "other content"),
  ],
  "a lower round or level": (make, at) => [
    signed(make({ level: at + 5, round: 3 }), "the first"),
    refused(make({ level: at + 5, round: 2 }), "a lower round"),
    refused(make({ level: at + 5 }), "round 0"),
    refused(make({ level: at + 4, round: 9 }), "a lower level at a higher round"),
    refused(make({ level: at }), "a much lower level"),
  ],
  "the mark outlives a restart": (make, at) => [
    signed(make({ level: at, round: 1 }), "the first"),
    restart,
    refused(make({ level: at, round: 1, ...OTHER }), "other bytes at the position"),
    refused(make({ level: at, round: 0 }), "a lower round"),
    restart,
    refused(make({ level: at, round: 1, ...OTHER }), "still other bytes"),
    signed(make({ level: at, round: 2 }), "a higher round"),
  ],
  "conflicting requests at once": (make, at) => [
    ...[0, 1, 2].map(
      (round): Step => ({
        parallel: Array.from({ length: 8 }, (_, index) =>
          make({ level: at, round, payloadHash: hash(10 + index) }).toString("hex"),
        ),
        expect: "at-most-one",
        why: "eight different contents for one position",
      }),
    ),
    signed(make({ level: at + 1 }), "the next level is free"),
  ],
  "a negative level": (make, at) => [
    signed(make({ level: at }), "the first"),
    refused(make({ level: -1 }), "no chain has it"),
    refused(make({ level: -1000 }), "nor this one"),
    signed(make({ level: at + 1 }), "the next level is free"),
  ],
  "a negative round": (make, at) => [
    signed(make({ level: at }), "the first"),
    refused(make({ level: at, round: -1 }), "no chain has it"),
    refused(make({ level: at + 1, round: -1 }), "nor at the next level"),
    signed(make({ level: at + 1 }), "the mark is where it was"),
  ],
  "bytes after the end": (make, at) => [
    refused(Buffer.concat([make({ level: at + 5 }), Buffer.from([0])]), "one"),
    refused(Buffer.concat([make({ level: at + 5 }), Buffer.alloc(40, 7)]), "forty"),
    signed(make({ level: at }), "the mark did not move"),
    refused(Buffer.concat([make({ level: at }), Buffer.from([0])]), "the signed bytes and one more"),
  ],
  "cut short": (make, at) => [
    refused(make({ level: at + 5 }).subarray(0, -1), "the last byte"),
    refused(make({ level: at + 5 }).subarray(0, 48), "after level and round"),
    refused(make({ level: at + 5 }).subarray(0, 5), "after the chain id"),
    refused(make({ level: at + 5 }).subarray(0, 1), "after the magic byte"),
    signed(make({ level: at }), "the mark did not move"),
  ],
  "the highest round": (make, at) => [
    signed(make({ level: at, round: 2 ** 31 - 1 }), "it is a round as any other"),
    refused(make({ level: at, round: 2 ** 31 - 2 }), "a lower round"),
    refused(make({ level: at, round: 0 }), "round 0"),
    signed(make({ level: at + 1 }), "the next level is free"),
  ],
  "another magic byte": (make, at) => [
    ...[0x00, 0x01, 0x02, 0x04, 0x10, 0x14, 0xff].map((magic) =>
      refused(Buffer.concat([Buffer.from([magic]), make({ level: at + 5 }).subarray(1)]), `magic byte ${magic}`),
    ),
    signed(make({ level: at }), "the mark did not move"),
  ],
};

const BLOCKS: Readonly<Record<string, (make: Maker, at: number) => Step[]>> = {
  "the same bytes get the same signature": (make, at) => [
    signed(make({ level: at }), "the first"),
    same(make({ level: at }), 0, "at once"),
    restart,
    same(make({ level: at }), 0, "after a restart"),
    same(make({ level: at }), 0, "and again"),
  ],
  "the same bytes at once": (make, at) => [
    ...[0, 1].map(
      (round): Step => ({
        parallel: Array.from({ length: 8 }, () => make({ level: at, round }).toString("hex")),
        expect: "one-signature",
        why: "two signatures of a block are two blocks",
      }),
    ),
  ],
  "the fitness round counts, not the payload round": (make, at) => [
    signed(make({ level: at, round: 6, payloadRound: 5 }), "a proposal again"),
    refused(make({ level: at, round: 6, payloadRound: 6 }), "the same round with a higher payload round"),
    refused(make({ level: at, round: 5, payloadRound: 5 }), "a lower round"),
    signed(make({ level: at, round: 7, payloadRound: 0 }), "a higher round with a lower payload round"),
  ],
  "a locked round makes the fitness longer": (make, at) => [
    signed(make({ level: at, round: 2, lockedRound: 1 }), "the round is read behind it"),
    refused(make({ level: at, round: 1, lockedRound: 0 }), "a lower round"),
    refused(make({ level: at, round: 2, lockedRound: 0 }), "another locked round at the position"),
    signed(make({ level: at, round: 3 }), "a higher round without one"),
  ],
  "blocks that differ in one field": (make, at) => [
    signed(make({ level: at }), "the first"),
    refused(make({ level: at, predecessor: hash(9) }), "the predecessor"),
    refused(make({ level: at, timestamp: 1_700_000_001n }), "the time"),
    refused(make({ level: at, proofOfWorkNonce: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }), "the proof of work"),
    refused(make({ level: at, seedNonceHash: hash(7) }), "the seed nonce"),
    refused(make({ level: at, votes: 2 }), "the votes"),
    refused(make({ level: at, context: hash(9) }), "the context"),
  ],
  "a fitness that is none": (make, at) => {
    const plain = make({ level: at + 5 });
    const length = plain.readInt32BE(83);
    const withFitness = (fitness: Buffer) =>
      Buffer.concat([plain.subarray(0, 83), fitness, plain.subarray(87 + length)]);
    return [
      refused(make({ level: at + 5, fitnessLevel: at + 6 }), "another level than the header's"),
      refused(make({ level: at + 5, fitnessVersion: 1 }), "another version"),
      refused(withFitness(part()), "nothing"),
      refused(withFitness(part(part(Buffer.from([2])))), "the version alone"),
      refused(
        withFitness(part(part(Buffer.from([2])), part(int32(at + 5)), part(), part(int32(-1)), part(int32(0)), part())),
        "a sixth part",
      ),
      signed(make({ level: at }), "the mark did not move"),
    ];
  },
};

const VOTES: Readonly<Record<string, (make: Maker, at: number) => Step[]>> = {
  "votes that differ in one field": (make, at) => [
    signed(make({ level: at }), "the first"),
    refused(make({ level: at, branch: hash(9) }), "the branch"),
    refused(make({ level: at, slot: 3 }), "the slot"),
    refused(make({ level: at, payloadHash: hash(9) }), "the block"),
  ],
  "the same bytes may be asked again": (make, at) => [
    signed(make({ level: at }), "the first"),
    signed(make({ level: at }), "a retry"),
    restart,
    signed(make({ level: at }), "a retry after a restart"),
    refused(make({ level: at, ...OTHER }), "other bytes still not"),
  ],
};

const SINGLE: Readonly<Record<string, (at: number) => Step[]>> = {
  "attestation and attestation with DAL are one": (at) => [
    signed(MAKERS.attestation({ level: at }), "plain"),
    refused(MAKERS["attestation with DAL"]({ level: at }), "with DAL at the same position"),
    signed(MAKERS["attestation with DAL"]({ level: at + 1 }), "with DAL"),
    refused(MAKERS.attestation({ level: at + 1 }), "plain at the same position"),
    refused(MAKERS.attestation({ level: at }), "plain below"),
  ],
  "another DAL content at the position": (at) => [
    signed(MAKERS["attestation with DAL"]({ level: at, dal: 5n }), "the first"),
    refused(MAKERS["attestation with DAL"]({ level: at, dal: 7n }), "another bitset"),
    refused(MAKERS["attestation with DAL"]({ level: at, dal: 0n }), "an empty bitset"),
    refused(MAKERS["attestation with DAL"]({ level: at, dal: 2n ** 200n }), "a long bitset"),
  ],
  "the tag is for its magic byte": (at) => [
    ...(
      [
        [0x12, 21],
        [0x12, 23],
        [0x13, 20],
        [0x12, 40],
        [0x13, 41],
        [0x13, 0],
      ] as const
    ).map(([magic, tag]) => refused(vote(magic, tag, { chainId: CHAIN, level: at + 5 }), `${magic} with ${tag}`)),
    signed(MAKERS.preattestation({ level: at }), "no mark moved"),
    signed(MAKERS.attestation({ level: at }), "nor this one"),
  ],
  "kinds do not stand in each other's way": (at) => [
    signed(MAKERS.attestation({ level: at + 1 }), "an attestation"),
    signed(MAKERS.preattestation({ level: at }), "a lower preattestation"),
    signed(MAKERS.block({ level: at }), "a lower block"),
    refused(MAKERS.attestation({ level: at }), "a lower attestation"),
  ],
  "chains do not stand in each other's way": (at) => [
    signed(MAKERS.attestation({ level: at + 1 }), "this chain"),
    signed(attestation({ chainId: "NetXxkAx4woPLyu", level: at }), "another, below"),
    refused(attestation({ chainId: "NetXxkAx4woPLyu", level: at, ...OTHER }), "other bytes there"),
    refused(MAKERS.attestation({ level: at }), "and below here"),
  ],
  "a bitset that is not canonical": (at) => [
    refused(
      Buffer.concat([vote(0x13, 23, { chainId: CHAIN, level: at + 5 }), Buffer.from("8500", "hex")]),
      "a zero at its end",
    ),
    refused(
      Buffer.concat([vote(0x13, 23, { chainId: CHAIN, level: at + 5 }), Buffer.from("85", "hex")]),
      "without an end",
    ),
    refused(vote(0x13, 23, { chainId: CHAIN, level: at + 5 }), "none"),
    refused(
      Buffer.concat([vote(0x13, 21, { chainId: CHAIN, level: at + 5 }), Buffer.from("05", "hex")]),
      "with a plain tag",
    ),
    signed(MAKERS.attestation({ level: at }), "the mark did not move"),
  ],
};

/** With two signers of one key. */
const atSecond = (step: Decision): Decision => ({ ...step, at: "second" });
const PAIR: Readonly<Record<string, (make: Maker, at: number) => Step[]>> = {
  "two signers: other bytes at the other one": (make, at) => [
    signed(make({ level: at }), "the first, at one signer"),
    atSecond(refused(make({ level: at, ...OTHER }), "other bytes at the other signer")),
    refused(make({ level: at, ...OTHER }), "nor at the first"),
  ],
  "two signers: what the other one has passed": (make, at) => [
    signed(make({ level: at }), "both know the key"),
    atSecond(signed(make({ level: at + 1 }), "the other signer takes over")),
    atSecond(signed(make({ level: at + 3 }), "and goes on")),
    refused(make({ level: at + 2 }), "the first signer remembers an older position"),
    refused(make({ level: at + 3, ...OTHER }), "and not these bytes"),
    signed(make({ level: at + 4 }), "it goes on above"),
    atSecond(refused(make({ level: at + 4, ...OTHER }), "which the other one sees")),
  ],
};
const PAIR_OF_BLOCKS: Readonly<Record<string, (make: Maker, at: number) => Step[]>> = {
  "two signers: the same block gets one signature": (make, at) => [
    signed(make({ level: at }), "at one signer"),
    { ...signed(make({ level: at }), "the very same at the other"), expect: 0, at: "second" },
  ],
};

function* cases(): Iterable<readonly [name: string, steps: (at: number) => Step[]]> {
  for (const [kind, make] of Object.entries(MAKERS)) {
    for (const [name, steps] of Object.entries(COMMON)) yield [`${kind} - ${name}`, (at) => steps(make, at)];
    const more = kind === "block" ? BLOCKS : VOTES;
    for (const [name, steps] of Object.entries(more)) yield [`${kind} - ${name}`, (at) => steps(make, at)];
  }
  yield* Object.entries(SINGLE);
  for (const [kind, make] of Object.entries(MAKERS)) {
    const pair = kind === "block" ? { ...PAIR, ...PAIR_OF_BLOCKS } : PAIR;
    for (const [name, steps] of Object.entries(pair)) yield [`${kind} - ${name}`, (at) => steps(make, at)];
  }
}

for (const name of readdirSync(import.meta.dirname)) {
  if (name.endsWith(".json")) rmSync(join(import.meta.dirname, name));
}
let number = 0;
for (const [name, steps] of cases()) {
  number += 1;
  const content: SuiteFile = { name, steps: steps(number * 1_000) };
  const file = `${String(number).padStart(2, "0")}-${name.toLowerCase().replaceAll(/[^a-z]+/g, "-")}.json`;
  writeFileSync(join(import.meta.dirname, file), `${JSON.stringify(content, null, 2)}\n`);
}
