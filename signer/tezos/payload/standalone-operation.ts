import { readBlockHeader } from "./block-header.ts";
import { readDalAttestation } from "./consensus.ts";
import {
  type InlinedBlock,
  type InlinedVote,
  OPERATION_TAGS,
  type SingleFields,
  type SingleOperation,
} from "./operation.ts";
import { readHash, readHex, readHexPart, readOption, readPublicKeyHash } from "./operation-field.ts";
import { hex, PayloadError, type Reader } from "./reader.ts";

/** One reader a kind: voting, anonymous and aggregated operations, which stand alone (operation_repr.ml, Encoding). */
const READERS: { readonly [Kind in keyof SingleFields]: (reader: Reader) => SingleFields[Kind] } = {
  seed_nonce_revelation: (reader) => ({ level: reader.natural32("level"), nonce: readHex(reader, 32, "nonce") }),
  vdf_revelation: (reader) => ({ result: readHex(reader, 100, "result"), proof: readHex(reader, 100, "proof") }),
  double_consensus_operation_evidence: (reader) => ({
    slot: reader.uint16("slot"),
    first: readInlinedVote(reader, "op1"),
    second: readInlinedVote(reader, "op2"),
  }),
  double_baking_evidence: (reader) => ({
    first: readInlinedBlock(reader, "bh1"),
    second: readInlinedBlock(reader, "bh2"),
  }),
  dal_entrapment_evidence: readEntrapment,
  preattestations_aggregate: readPreattestationsAggregate,
  attestations_aggregate: readAttestationsAggregate,
  activate_account: (reader) => ({
    address: readHash(reader, "tz1", "pkh"),
    secret: readHex(reader, 20, "secret"),
  }),
  proposals: readProposals,
  ballot: readBallot,
  drain_delegate: (reader) => ({
    consensusKey: readPublicKeyHash(reader, "consensus_key"),
    delegate: readPublicKeyHash(reader, "delegate"),
    destination: readPublicKeyHash(reader, "destination"),
  }),
  failing_noop: (reader) => ({ arbitrary: readHexPart(reader, "arbitrary") }),
};

const KINDS = new Map(
  (Object.keys(READERS) as (keyof SingleFields)[]).map((kind) => [OPERATION_TAGS[kind], kind] as const),
);

/** Why known tags are refused. */
const REFUSED: Readonly<Record<number, string>> = {
  7: "double_preattestation_evidence, which is gone since protocol 023",
  20: "a preattestation, which goes under magic byte 12",
  21: "an attestation, which goes under magic byte 13",
  23: "an attestation_with_dal, which goes under magic byte 13",
  40: "the form of a preattestation that tz4 keys sign",
  41: "the form of an attestation that tz4 keys sign",
  250: "zk_rollup_origination, which this signer does not read",
  251: "zk_rollup_publish, which this signer does not read",
  252: "zk_rollup_update, which this signer does not read",
  255: "the prefix of a signature, which is no operation",
};

/**
 * Reads an operation that stands alone from behind its tag.
 * @throws PayloadError for a tag that is no operation's, naming what it is where that is known
 */
export function readSingleOperation(reader: Reader, tag: number): SingleOperation {
  const kind = KINDS.get(tag);
  if (kind === undefined) throw new PayloadError(reader.offset - 1, `operation tag ${tag} ${whyRefused(tag)}`);
  return { kind, tag, ...READERS[kind](reader) } as SingleOperation;
}

function whyRefused(tag: number): string {
  const what = REFUSED[tag];
  if (what !== undefined) return `is ${what}`;
  return tag >= 150 && tag <= 157 ? "is of the transaction rollups, which are forbidden" : "is unknown";
}

/** Constants_repr.max_proposals_per_delegate. */
const MAX_PROPOSALS = 20;

function readProposals(reader: Reader): SingleFields["proposals"] {
  const source = readPublicKeyHash(reader, "source");
  const period = reader.int32("period");
  const at = reader.offset;
  const proposals = reader.part("proposals").list((item) => readHash(item, "P", "proposal"));
  if (proposals.length > MAX_PROPOSALS) throw new PayloadError(at, `there are more than ${MAX_PROPOSALS} proposals`);
  return { source, period, proposals };
}

const BALLOTS = ["yay", "nay", "pass"] as const;

function readBallot(reader: Reader): SingleFields["ballot"] {
  const source = readPublicKeyHash(reader, "source");
  const period = reader.int32("period");
  const proposal = readHash(reader, "P", "proposal");
  const at = reader.offset;
  const number = reader.uint8("ballot");
  const ballot = BALLOTS[number];
  if (ballot === undefined) throw new PayloadError(at, `${hex(number)} is no ballot`);
  return { source, period, proposal, ballot };
}

function readEntrapment(reader: Reader): SingleFields["dal_entrapment_evidence"] {
  const attestation = readInlinedVote(reader, "attestation");
  const consensusSlot = reader.uint16("consensus_slot");
  const slotIndex = reader.uint8("slot_index");
  const lagIndex = readOption(reader, "lag_index", (from, name) => from.uint8(name));
  const shardIndex = reader.int32("shard index");
  // Cryptobox: the shard's scalars of 32 bytes, and a proof that is a compressed point of 48.
  reader.part("share").list((item) => item.bytes(32, "a scalar of the share"));
  reader.bytes(48, "shard proof");
  return { attestation, consensusSlot, slotIndex, lagIndex, shardIndex };
}

function readPreattestationsAggregate(reader: Reader): SingleFields["preattestations_aggregate"] {
  const content = readAggregateContent(reader);
  return { ...content, slots: reader.part("committee").list((item) => item.uint16("slot")) };
}

function readAttestationsAggregate(reader: Reader): SingleFields["attestations_aggregate"] {
  const content = readAggregateContent(reader);
  const slots = reader.part("committee").list((item) => {
    const slot = item.uint16("slot");
    readOption(item, "dal_attestation", readDalAttestation);
    return slot;
  });
  return { ...content, slots };
}

function readAggregateContent(reader: Reader): { level: number; round: number } {
  const level = reader.natural32("level");
  const round = reader.natural32("round");
  reader.bytes(32, "block_payload_hash");
  return { level, round };
}

type ContentReader = (reader: Reader) => { level: number; round: number };

/** Readers of operation_repr.ml inlined_consensus_operation_encoding, by tag. */
const VOTES: Readonly<Record<number, readonly [InlinedVote["kind"], ContentReader]>> = {
  20: ["preattestation", readVote],
  21: ["attestation", readVote],
  23: ["attestation_with_dal", readVoteWithDal],
  30: ["preattestations_aggregate", readPreattestationsAggregate],
  31: ["attestations_aggregate", readAttestationsAggregate],
};

function readVote(reader: Reader): { level: number; round: number } {
  reader.uint16("slot");
  return readAggregateContent(reader);
}

function readVoteWithDal(reader: Reader): { level: number; round: number } {
  const vote = readVote(reader);
  readDalAttestation(reader);
  return vote;
}

function readInlinedVote(reader: Reader, name: string): InlinedVote {
  const part = reader.part(name);
  part.bytes(32, "branch");
  const at = part.offset;
  const tag = part.uint8("operation tag");
  const form = VOTES[tag];
  if (form === undefined) throw new PayloadError(at, `tag ${tag} is no consensus operation`);
  const [kind, read] = form;
  const { level, round } = read(part);
  if (part.remaining > 0) readSignature(part);
  return { kind, level, round };
}

function readInlinedBlock(reader: Reader, name: string): InlinedBlock {
  const part = reader.part(name);
  const { level, round } = readBlockHeader(part);
  readSignature(part);
  return { level, round };
}

/** Signature.encoding takes all that is left; lengths are of the 64-byte schemes, BLS and ML-DSA-44. */
function readSignature(part: Reader): void {
  const at = part.offset;
  const { length } = part.rest();
  if (![64, 96, 2420].includes(length)) throw new PayloadError(at, `no signature has ${length} bytes`);
}
