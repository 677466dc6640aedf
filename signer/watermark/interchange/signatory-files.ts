import { basename } from "node:path";
import { z } from "zod";
import { CONSENSUS_KINDS } from "../../tezos/payload/consensus-kind.ts";
import type { ConsensusKind } from "../../tezos/payload/payload.ts";
import { digestOf, int32, kindNamed, kindOf, named } from "./foreign.ts";
import { checkForm, InterchangeError, type MarkRecord, type NamedMark, parseJson } from "./format.ts";

/**
 * Signatory's files of marks, one for each chain, in its three forms: `watermark_v2/`, and `watermark_v1/` and `watermark/` of
 * versions before, which it leaves behind when it moves on (pkg/signatory/watermark/file.go and migration.go).
 * @module
 */

const mark = z.looseObject({ level: int32, round: int32.nullish(), hash: z.string().nullish() });

/** `watermark_v2/`: marks by key and kind. */
const v2 = z.record(z.string(), z.record(z.string(), mark));
/** `watermark_v1/`: one mark for each key, whose `order` is its place within a round: 0 a block, 1 a preattestation, else an attestation. */
const v1 = z.record(z.string(), mark.extend({ order: z.int() }));
/** `watermark/`: marks by kind and key. */
const v0 = v2;

/** Reads a file of any of the three forms; the file's name tells the chain. */
export function readSignatory(text: string, path: string): MarkRecord {
  const chainId = signatoryChain(path);
  if (chainId === undefined) {
    throw new InterchangeError("Its name must be the one that Signatory gave it, NetX….json: it tells the chain.");
  }
  const json = parseJson(text);
  const entries = Object.entries(typeof json === "object" && json !== null ? json : {});
  if (entries.some(([, value]) => Object.hasOwn(Object(value), "order"))) return readV1(chainId, checkForm(v1, json));
  if (entries.some(([name]) => kindNamed(name) !== undefined)) return readV0(chainId, checkForm(v0, json));
  return readV2(chainId, checkForm(v2, json));
}

function readV2(chainId: string, keys: z.output<typeof v2>): MarkRecord {
  return { marks: markOfEach(keys, (address, kind, signed) => signatoryMark(chainId, address, kindOf(kind), signed)) };
}

function readV0(chainId: string, kinds: z.output<typeof v0>): MarkRecord {
  return { marks: markOfEach(kinds, (kind, address, signed) => signatoryMark(chainId, address, kindOf(kind), signed)) };
}

/** The one mark of a key is the last thing that it signed of any kind, so each kind has signed nothing above it. */
function readV1(chainId: string, keys: z.output<typeof v1>): MarkRecord {
  const marks = Object.entries(keys).flatMap(([address, { order, hash, ...position }]) =>
    CONSENSUS_KINDS.map((kind) =>
      signatoryMark(chainId, address, kind, { ...position, hash: kind === V1_KINDS[order] ? hash : undefined }),
    ),
  );
  return { marks };
}

const V1_KINDS: Readonly<Record<number, ConsensusKind>> = { 0: "block", 1: "preattestation", 2: "attestation" };

function markOfEach<T>(
  outer: Readonly<Record<string, Readonly<Record<string, T>>>>,
  make: (outer: string, inner: string, value: T) => NamedMark,
): NamedMark[] {
  return Object.entries(outer).flatMap(([name, values]) =>
    Object.entries(values).map(([inner, value]) => make(name, inner, value)),
  );
}

/** What Signatory keeps of a position, wherever it keeps it. */
export interface SignatoryPosition {
  readonly level: number;
  readonly round?: number | null | undefined;
  readonly hash?: string | null | undefined;
}

/**
 * Makes a mark of Signatory's. It kept a block's payload_round (its request's GetRound), which lies below the fitness round
 * where a proposal was made again, so its block marks stand for their whole level.
 */
export function signatoryMark(
  chainId: string,
  address: string,
  kind: ConsensusKind,
  { level, round, hash }: SignatoryPosition,
): NamedMark {
  return named(chainId, address, kind, {
    level,
    ...(kind === "block" ? {} : { round, digest: digestOf(hash) }),
  });
}

/** Returns the chain that the name of a Signatory's file tells; undefined for any other name. */
export function signatoryChain(path: string): string | undefined {
  return /^(Net[1-9A-HJ-NP-Za-km-z]{12})\.json$/.exec(basename(path))?.[1];
}
