import { LocalForger } from "@taquito/local-forging";
import { encode } from "../../signer/tezos/base58.ts";
import { OPERATION_TAGS, type Operation, type OperationKind } from "../../signer/tezos/operation.ts";
import {
  attestation,
  BRANCH,
  block,
  contract,
  hash,
  int32,
  integer,
  manager,
  natural,
  OTHER,
  operations,
  part,
  preattestation,
  publicKeyHash,
  SOURCE,
  uint16,
} from "./payloads.ts";

/**
 * One example of every kind of operation, and of every form within a kind: as Taquito takes it where Taquito can forge
 * it, as bytes where it cannot, and as our decoder must give it.
 * @module
 */
export interface Example {
  readonly name: string;
  /** The operation in the form of octez's RPC, for Taquito. */
  readonly contents?: Readonly<Record<string, unknown>> & { readonly kind: string };
  /** The operation's bytes, where Taquito has no codec for it. */
  readonly bytes?: Uint8Array;
  readonly operation: Operation;
}

export const KT1 = "KT1WvzYHCNBvDSdwafTHv7nJ1dWmZ8GCYuuC";
const TZ1 = "tz1aJ9zdWaAmV3d4dkDpZ8fU5P9eo1hyGfMW";
const TZ4 = "tz4MvCEiLgK6vYRSkug9Nz64UNTbT4McNq8m";
const P2PK = "p2pk65pxFqFj1N66zRRQtdbEJWHMH5hRv4WsRkaGWQJtZ5bv8nVx6Dg";
const SPPK = "sppk7cvVVMRRtYTdriTB6KQqpXZt9TUwSTcpMWq4FwpvG2eVZ56UuHP";
const filled = (length: number) => new Uint8Array(length).fill(7);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const EDPK = encode("edpk", filled(32));
const BLPK = encode("BLpk", filled(48));
const PROOF = encode("BLsig", filled(96));
const PROPOSAL = encode("P", filled(32));
const SR1 = encode("sr1", filled(20));
const SRC1 = encode("src1", filled(32));
const SRS1 = encode("srs1", filled(32));
const SLOT = encode("sh", filled(48));

const header = { source: SOURCE, fee: 1000n, counter: 1n, gasLimit: 2000n, storageLimit: 300n };

type Fields = Readonly<Record<string, unknown>>;

/** A manager operation that Taquito forges: its RPC fields and ours, both without the header. */
function forged(name: string, kind: OperationKind, rpc: Fields, ours: Fields = rpc): Example {
  const tag = OPERATION_TAGS[kind];
  const rpcHeader = { source: SOURCE, fee: "1000", counter: "1", gas_limit: "2000", storage_limit: "300" };
  const rpcKind = tag === 108 ? "transaction" : kind;
  return {
    name,
    contents: { kind: rpcKind, ...rpcHeader, ...rpc },
    operation: { kind, tag, ...header, ...ours } as Operation,
  };
}

/** A manager operation that Taquito has no codec for. */
function handmade(name: string, kind: OperationKind, ours: Fields, ...fields: readonly Uint8Array[]): Example {
  const tag = OPERATION_TAGS[kind];
  return { name, bytes: manager(tag, {}, ...fields), operation: { kind, tag, ...header, ...ours } as Operation };
}

/** An operation that stands alone. */
function single(name: string, kind: OperationKind, ours: Fields, rpc: Fields | Uint8Array): Example {
  const tag = OPERATION_TAGS[kind];
  const operation = { kind, tag, ...ours } as Operation;
  if (rpc instanceof Uint8Array) return { name, bytes: Buffer.concat([Buffer.from([tag]), rpc]), operation };
  return { name, contents: { kind, ...rpc }, operation };
}

const UNIT = { prim: "Unit" };
const TYPE = { prim: "option", args: [{ prim: "int" }], annots: ["%some"] };
const SCRIPT = [
  { prim: "parameter", args: [{ prim: "unit", annots: ["%go"] }] },
  { prim: "storage", args: [{ prim: "pair", args: [TYPE, { prim: "string" }], annots: [":s", "@t"] }] },
  { prim: "code", args: [[{ prim: "CDR" }, { prim: "NIL", args: [{ prim: "operation" }] }, { prim: "PAIR" }]] },
];
const ELEMENT = { prim: "Elt", args: [{ int: "0" }, UNIT] };
const DATA = { prim: "Pair", args: [{ int: "-129" }, { string: "ten\ntez" }, { bytes: "00ff" }, ELEMENT] };

function call(entrypoint: string, value: unknown = UNIT): Fields {
  return { amount: "5", destination: SOURCE, parameters: { entrypoint, value } };
}

function called(entrypoint: string, parameters: unknown = UNIT): Fields {
  return { amount: 5n, destination: SOURCE, entrypoint, parameters };
}

const sr1 = filled(20);
const start = Buffer.concat([Buffer.from([0]), filled(32), filled(32)]);
const move = (...step: readonly (Uint8Array | number)[]) =>
  Buffer.concat([Buffer.from([1]), natural(300n), ...step.map((piece) => Buffer.from([piece].flat() as never))]);
const refute = (refutation: unknown) => ({ rollup: SR1, opponent: OTHER, refutation });
const proof = (input: string) => refute({ move: "proof", choice: 300n, proof: "0707", input });
const proofBytes = (...input: readonly Uint8Array[]) =>
  Buffer.concat([sr1, publicKeyHash(OTHER), move(1), part(filled(2)), ...input]);
const bytes = (...values: readonly number[]) => Buffer.from(values);

/** A consensus operation as it stands in evidence: without magic byte and chain id, with its signature or none. */
const inlined = (vote: Uint8Array, signature = 64) => part(Buffer.concat([vote.subarray(5), filled(signature)]));
const aggregate = (tag: number, ...committee: readonly Uint8Array[]) =>
  Buffer.concat([bytes(0x13, 0, 0, 0, 0), hash(1), bytes(tag), int32(9), int32(1), hash(2), part(...committee)]);
const shard = Buffer.concat([int32(3), part(filled(64)), filled(48)]);
const dalVote = inlined(attestation({ level: 8, round: 1, dal: 5n }));

export const EXAMPLES: readonly Example[] = [
  forged(
    "a transfer",
    "transaction",
    { amount: "5", destination: OTHER },
    {
      amount: 5n,
      destination: OTHER,
      entrypoint: "default",
      parameters: UNIT,
    },
  ),
  forged(
    "a call",
    "transaction",
    { amount: "0", destination: KT1, parameters: { entrypoint: "mint", value: DATA } },
    {
      amount: 0n,
      destination: KT1,
      entrypoint: "mint",
      parameters: DATA,
    },
  ),
  ...["root", "do", "set_delegate", "remove_delegate", "deposit"].map((entrypoint) =>
    forged(
      `a call of ${entrypoint}`,
      "transaction",
      { ...call(entrypoint), destination: KT1 },
      {
        ...called(entrypoint),
        destination: KT1,
      },
    ),
  ),
  forged("a stake", "stake", call("stake"), called("stake")),
  forged("an unstake", "unstake", call("unstake"), called("unstake")),
  forged("a finalize_unstake", "finalize_unstake", call("finalize_unstake"), called("finalize_unstake")),
  forged(
    "a set_delegate_parameters",
    "set_delegate_parameters",
    call("set_delegate_parameters", DATA),
    called("set_delegate_parameters", DATA),
  ),
  ...[P2PK, SPPK, EDPK].map((key) =>
    forged(`a reveal of ${key.slice(0, 4)}`, "reveal", { public_key: key }, { publicKey: key, proof: undefined }),
  ),
  forged("a reveal with proof", "reveal", { public_key: BLPK, proof: PROOF }, { publicKey: BLPK, proof: PROOF }),
  forged(
    "an origination",
    "origination",
    { balance: "7", delegate: OTHER, script: { code: SCRIPT, storage: DATA } },
    { balance: 7n, delegate: OTHER, code: SCRIPT, storage: DATA },
  ),
  forged(
    "an origination without delegate",
    "origination",
    { balance: "0", script: { code: SCRIPT, storage: [] } },
    { balance: 0n, delegate: undefined, code: SCRIPT, storage: [] },
  ),
  forged("a delegation", "delegation", { delegate: TZ4 }),
  forged("a delegation withdrawn", "delegation", {}, { delegate: undefined }),
  forged("a global constant", "register_global_constant", { value: DATA }),
  forged("a deposits limit", "set_deposits_limit", { limit: "9007199254740993" }, { limit: 9007199254740993n }),
  forged("a deposits limit lifted", "set_deposits_limit", {}, { limit: undefined }),
  forged(
    "more paid storage",
    "increase_paid_storage",
    { amount: "5", destination: KT1 },
    { bytes: 5n, destination: KT1 },
  ),
  forged("a consensus key", "update_consensus_key", { pk: P2PK }, { publicKey: P2PK, proof: undefined }),
  forged("a tz4 consensus key", "update_consensus_key", { pk: BLPK, proof: PROOF }, { publicKey: BLPK, proof: PROOF }),
  forged("a companion key", "update_companion_key", { pk: BLPK, proof: PROOF }, { publicKey: BLPK, proof: PROOF }),
  forged(
    "a ticket",
    "transfer_ticket",
    {
      ticket_contents: { string: "t" },
      ticket_ty: { prim: "string" },
      ticket_ticketer: KT1,
      ticket_amount: "1",
      destination: OTHER,
      entrypoint: "take",
    },
    {
      contents: { string: "t" },
      type: { prim: "string" },
      ticketer: KT1,
      amount: 1n,
      destination: OTHER,
      entrypoint: "take",
    },
  ),
  ...(["arith", "wasm_2_0_0", "riscv"] as const).map((pvm) =>
    forged(
      `a rollup on ${pvm}`,
      "smart_rollup_originate",
      { pvm_kind: pvm, kernel: "00ff", parameters_ty: { prim: "bytes" } },
      { pvm, kernel: "00ff", parametersType: { prim: "bytes" }, whitelist: undefined },
    ),
  ),
  forged(
    "a private rollup",
    "smart_rollup_originate",
    { pvm_kind: "riscv", kernel: "00", parameters_ty: { prim: "bytes" }, whitelist: [SOURCE, OTHER] },
    { pvm: "riscv", kernel: "00", parametersType: { prim: "bytes" }, whitelist: [SOURCE, OTHER] },
  ),
  forged("rollup messages", "smart_rollup_add_messages", { message: ["00", "ffff"] }, { messages: ["00", "ffff"] }),
  forged(
    "an outbox message",
    "smart_rollup_execute_outbox_message",
    { rollup: SR1, cemented_commitment: SRC1, output_proof: "0102" },
    { rollup: SR1, commitment: SRC1, proof: "0102" },
  ),
  forged(
    "a DAL commitment",
    "dal_publish_commitment",
    { slot_header: { slot_index: 3, commitment: SLOT, commitment_proof: hex(filled(96)) } },
    { slotIndex: 3, commitment: SLOT, proof: hex(filled(96)) },
  ),

  // The protocol has a signed number here; Taquito forges an unsigned one, which is another number from 64 on.
  handmade(
    "much more paid storage",
    "increase_paid_storage",
    { bytes: 128n, destination: KT1 },
    integer(128n),
    contract(KT1),
  ),
  handmade("a cement", "smart_rollup_cement", { rollup: SR1 }, sr1),
  handmade(
    "a rollup commitment",
    "smart_rollup_publish",
    { rollup: SR1, state: SRS1, inboxLevel: 9, predecessor: SRC1, ticks: 258n },
    sr1,
    filled(32),
    int32(9),
    filled(32),
    bytes(0, 0, 0, 0, 0, 0, 1, 2),
  ),
  handmade(
    "a refutation's start",
    "smart_rollup_refute",
    refute({ move: "start", playerCommitment: SRC1, opponentCommitment: SRC1 }),
    sr1,
    publicKeyHash(OTHER),
    start,
  ),
  handmade(
    "a dissection",
    "smart_rollup_refute",
    refute({
      move: "dissection",
      choice: 300n,
      sections: [
        { state: SRS1, tick: 1n },
        { state: undefined, tick: 2n },
      ],
    }),
    sr1,
    publicKeyHash(OTHER),
    move(0),
    part(bytes(0xff), filled(32), natural(1n), bytes(0), natural(2n)),
  ),
  handmade("a step's proof", "smart_rollup_refute", proof("none"), proofBytes(bytes(0))),
  handmade(
    "a proof with an inbox message",
    "smart_rollup_refute",
    proof("inbox message"),
    proofBytes(bytes(0xff, 0), int32(9), natural(200n), part(filled(3))),
  ),
  handmade(
    "a proof with raw data",
    "smart_rollup_refute",
    proof("raw data"),
    proofBytes(bytes(0xff, 1, 0), uint16(2), filled(2)),
  ),
  handmade("a proof with metadata", "smart_rollup_refute", proof("metadata"), proofBytes(bytes(0xff, 1, 1))),
  handmade(
    "a proof with a DAL page",
    "smart_rollup_refute",
    proof("DAL page"),
    proofBytes(bytes(0xff, 1, 2), int32(9), bytes(1), uint16(2), part(filled(5))),
  ),
  handmade(
    "a proof with DAL parameters",
    "smart_rollup_refute",
    proof("DAL parameters"),
    proofBytes(bytes(0xff, 1, 3)),
  ),
  handmade("a proof of the first input", "smart_rollup_refute", proof("first input"), proofBytes(bytes(0xff, 2))),
  handmade(
    "a refutation's timeout",
    "smart_rollup_timeout",
    { rollup: SR1, alice: SOURCE, bob: OTHER },
    sr1,
    publicKeyHash(SOURCE),
    publicKeyHash(OTHER),
  ),
  handmade(
    "a recovered bond",
    "smart_rollup_recover_bond",
    { rollup: SR1, staker: SOURCE },
    sr1,
    publicKeyHash(SOURCE),
  ),

  single(
    "a seed nonce",
    "seed_nonce_revelation",
    { level: 9, nonce: hex(filled(32)) },
    { level: 9, nonce: hex(filled(32)) },
  ),
  single("a VDF solution", "vdf_revelation", { result: hex(filled(100)), proof: hex(filled(100)) }, filled(200)),
  single(
    "an activation",
    "activate_account",
    { address: TZ1, secret: hex(filled(20)) },
    { pkh: TZ1, secret: hex(filled(20)) },
  ),
  single(
    "proposals",
    "proposals",
    { source: SOURCE, period: 3, proposals: [PROPOSAL, PROPOSAL] },
    {
      source: SOURCE,
      period: 3,
      proposals: [PROPOSAL, PROPOSAL],
    },
  ),
  ...(["yay", "nay", "pass"] as const).map((ballot) =>
    single(
      `a ballot of ${ballot}`,
      "ballot",
      { source: SOURCE, period: 3, proposal: PROPOSAL, ballot },
      {
        source: SOURCE,
        period: 3,
        proposal: PROPOSAL,
        ballot,
      },
    ),
  ),
  single(
    "a drain",
    "drain_delegate",
    { consensusKey: SOURCE, delegate: OTHER, destination: TZ1 },
    {
      consensus_key: SOURCE,
      delegate: OTHER,
      destination: TZ1,
    },
  ),
  single("a failing noop", "failing_noop", { arbitrary: "6869" }, { arbitrary: "6869" }),
  single(
    "preattestations together",
    "preattestations_aggregate",
    { level: 9, round: 1, slots: [4, 5] },
    Buffer.concat([int32(9), int32(1), hash(2), part(uint16(4), uint16(5))]),
  ),
  single(
    "attestations together",
    "attestations_aggregate",
    { level: 9, round: 1, slots: [4, 5] },
    Buffer.concat([int32(9), int32(1), hash(2), part(uint16(4), bytes(0), uint16(5), bytes(0xff), integer(3n))]),
  ),
  single(
    "evidence of a double attestation",
    "double_consensus_operation_evidence",
    {
      slot: 2,
      first: { kind: "attestation", level: 8, round: 1 },
      second: { kind: "attestation_with_dal", level: 8, round: 1 },
    },
    Buffer.concat([uint16(2), inlined(attestation({ level: 8, round: 1 })), dalVote]),
  ),
  single(
    "evidence without a signature and with a BLS one",
    "double_consensus_operation_evidence",
    {
      slot: 2,
      first: { kind: "preattestation", level: 8, round: 1 },
      second: { kind: "preattestations_aggregate", level: 9, round: 1 },
    },
    Buffer.concat([
      uint16(2),
      inlined(preattestation({ level: 8, round: 1 }), 0),
      inlined(aggregate(30, uint16(4)), 96),
    ]),
  ),
  single(
    "evidence of a double baking",
    "double_baking_evidence",
    { first: { level: 8, round: 1 }, second: { level: 9, round: 0 } },
    Buffer.concat([inlined(block({ level: 8, round: 1 })), inlined(block({ level: 9, seedNonceHash: hash(9) }), 96)]),
  ),
  single(
    "evidence of a DAL trap",
    "dal_entrapment_evidence",
    {
      attestation: { kind: "attestation_with_dal", level: 8, round: 1 },
      consensusSlot: 2,
      slotIndex: 1,
      lagIndex: 4,
      shardIndex: 3,
    },
    Buffer.concat([dalVote, uint16(2), bytes(1), bytes(0xff, 4), shard]),
  ),
  single(
    "evidence of a DAL trap without lag",
    "dal_entrapment_evidence",
    {
      attestation: { kind: "attestations_aggregate", level: 9, round: 1 },
      consensusSlot: 2,
      slotIndex: 1,
      lagIndex: undefined,
      shardIndex: 3,
    },
    Buffer.concat([inlined(aggregate(31, uint16(4), bytes(0))), uint16(2), bytes(1), bytes(0), shard]),
  ),
];

const forger = new LocalForger();

/** The whole payload of an example, forged by Taquito where it can. */
export async function payloadOf({ contents, bytes: content }: Example): Promise<Buffer> {
  if (content !== undefined) return operations(content);
  const params = { branch: BRANCH, contents: [contents] } as unknown as Parameters<LocalForger["forge"]>[0];
  return Buffer.from(`03${await forger.forge(params)}`, "hex");
}

/** What Taquito reads from a payload. */
export async function taquitoReads(payload: Uint8Array): Promise<unknown> {
  return await forger.parse(Buffer.from(payload.subarray(1)).toString("hex"));
}
