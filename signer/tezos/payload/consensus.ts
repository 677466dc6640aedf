import { encode } from "../crypto/base58.ts";
import { readBlockHeader } from "./block-header.ts";
import type { ConsensusKind } from "./consensus-kind.ts";
import { hex, PayloadError, Reader } from "./reader.ts";

/** A request that can be slashed, with its place in the chain. */
export interface ConsensusRequest {
  readonly type: "consensus";
  readonly kind: ConsensusKind;
  readonly operation: ConsensusKind | "attestation_with_dal";
  /** Net… */
  readonly chainId: string;
  /** Block level, int32, never negative. */
  readonly level: number;
  /** Round, int32, never negative: the fitness round of a block, the round voted on otherwise. */
  readonly round: number;
}

/** Longest DAL bitset read. With 5 lags of 160 slots (proto_025) it takes at most about 140 bytes. */
const MAX_DAL_BYTES = 512;

type Vote = Exclude<ConsensusRequest["operation"], "block">;

/** Operation tags of each kind of vote that keys other than tz4 sign (operation_repr.ml). */
const VOTES: Readonly<Record<"preattestation" | "attestation", Readonly<Record<number, Vote>>>> = {
  preattestation: { 20: "preattestation" },
  attestation: { 21: "attestation", 23: "attestation_with_dal" },
};

/**
 * Parses 0x11: magic byte, chain id, block header, and nothing after it.
 * @throws PayloadError for anything else
 */
export function parseBlock(payload: Uint8Array): ConsensusRequest {
  const reader = new Reader(payload, 1);
  const chainId = readChainId(reader);
  const { level, round } = readBlockHeader(reader);
  reader.end("the block header");
  return { type: "consensus", kind: "block", operation: "block", chainId, level, round };
}

/**
 * Parses 0x12 and 0x13: magic byte, chain id, branch, one operation, and nothing after it.
 * @throws PayloadError for anything else, and for the operations that only tz4 keys sign
 */
export function parseVote(payload: Uint8Array, magic: 0x12 | 0x13): ConsensusRequest {
  const kind = magic === 0x12 ? "preattestation" : "attestation";
  const reader = new Reader(payload, 1);
  const chainId = readChainId(reader);
  reader.bytes(32, "branch");
  const at = reader.offset;
  const tag = reader.uint8("operation tag");
  const operation = VOTES[kind][tag];
  if (operation === undefined) throw new PayloadError(at, wrongTag(tag, kind, magic));
  reader.uint16("slot");
  const level = reader.natural32("level");
  const round = reader.natural32("round");
  reader.bytes(32, "block_payload_hash");
  if (operation === "attestation_with_dal") readDalAttestation(reader);
  reader.end(`the ${operation}`);
  return { type: "consensus", kind, operation, chainId, level, round };
}

function wrongTag(tag: number, kind: ConsensusKind, magic: number): string {
  if (tag === 40 || tag === 41) return `tag ${tag} is the form that tz4 keys sign, which no key here is`;
  return `tag ${tag} is no ${kind}, and magic byte ${hex(magic)} is for nothing else`;
}

/** Reads the bitset of attested DAL slots (dal_attestations_repr.ml): a Zarith integer, never negative. */
export function readDalAttestation(reader: Reader): bigint {
  const at = reader.offset;
  const bitset = reader.integer("dal_attestation", MAX_DAL_BYTES);
  if (bitset < 0n) throw new PayloadError(at, "dal_attestation is negative");
  return bitset;
}

/** A signer sees one chain or two, and base58check takes longer than all the rest of the parse. */
const chainIds = new Map<number, string>();
const MAX_CHAIN_IDS = 16;

function readChainId(reader: Reader): string {
  const bytes = reader.bytes(4, "chain id");
  const number = Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32BE();
  let text = chainIds.get(number);
  if (text === undefined) {
    text = encode("Net", bytes);
    if (chainIds.size >= MAX_CHAIN_IDS) chainIds.clear();
    chainIds.set(number, text);
  }
  return text;
}
