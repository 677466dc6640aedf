import type { Micheline } from "../tezos/payload/micheline.ts";
import type {
  InlinedBlock,
  InlinedVote,
  ManagerFields,
  ManagerHeader,
  ManagerKind,
  OperationKind,
  Refutation,
  RefutationSection,
  SingleFields,
  TransactionFields,
} from "../tezos/payload/operation.ts";

/**
 * How each field of each operation is shown. The decoder's types decide which formats a field may have, and every field
 * must have one: a new field does not compile until it is said here what it means.
 * @module
 */

/** What each format takes. */
export interface Formatted {
  readonly tez: bigint | undefined;
  readonly number: bigint | number | undefined;
  /** A word of a list that the decoder knows, or an entrypoint. */
  readonly name: string;
  readonly address: string;
  readonly delegate: string | undefined;
  readonly key: string;
  /** Bytes in base58check that are no address: a hash, a proof. */
  readonly hash: string | undefined;
  readonly hex: string;
  /** Bytes in hex that may be somebody's text. */
  readonly text: string;
  readonly micheline: Micheline;
  readonly stakingTerms: Micheline;
  readonly addresses: readonly string[] | undefined;
  readonly hashes: readonly string[];
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
  readonly refutation: Refutation;
  readonly sections: readonly RefutationSection[];
  readonly vote: InlinedVote;
  readonly block: InlinedBlock;
}

export type Format = keyof Formatted;

/** The formats that can show a value. */
export type FormatOf<Value> = { [F in Format]: [Value] extends [Formatted[F]] ? F : never }[Format];

/** A format for each field. */
export type FormatsOf<Fields> = { readonly [Name in keyof Fields]-?: FormatOf<Fields[Name]> };

type FieldsOf<Kind extends OperationKind> = Kind extends ManagerKind
  ? ManagerHeader & ManagerFields[Kind]
  : Kind extends keyof SingleFields
    ? SingleFields[Kind]
    : never;

const HEADER: FormatsOf<ManagerHeader> = {
  source: "address",
  fee: "tez",
  counter: "number",
  gasLimit: "number",
  storageLimit: "number",
};

const TRANSACTION: FormatsOf<ManagerHeader & TransactionFields> = {
  ...HEADER,
  amount: "tez",
  destination: "address",
  entrypoint: "name",
  parameters: "micheline",
};

const KEY_WITH_PROOF: FormatsOf<ManagerHeader & ManagerFields["reveal"]> = {
  ...HEADER,
  publicKey: "key",
  proof: "hash",
};

const AGGREGATE: FormatsOf<SingleFields["attestations_aggregate"]> = {
  level: "number",
  round: "number",
  slots: "numbers",
};

export const FORMATS: { readonly [Kind in OperationKind]: FormatsOf<FieldsOf<Kind>> } = {
  reveal: KEY_WITH_PROOF,
  transaction: TRANSACTION,
  stake: TRANSACTION,
  unstake: TRANSACTION,
  finalize_unstake: TRANSACTION,
  set_delegate_parameters: { ...TRANSACTION, parameters: "stakingTerms" },
  origination: { ...HEADER, balance: "tez", delegate: "delegate", code: "micheline", storage: "micheline" },
  delegation: { ...HEADER, delegate: "delegate" },
  register_global_constant: { ...HEADER, value: "micheline" },
  set_deposits_limit: { ...HEADER, limit: "tez" },
  increase_paid_storage: { ...HEADER, bytes: "number", destination: "address" },
  update_consensus_key: KEY_WITH_PROOF,
  update_companion_key: KEY_WITH_PROOF,
  transfer_ticket: {
    ...HEADER,
    contents: "micheline",
    type: "micheline",
    ticketer: "address",
    amount: "number",
    destination: "address",
    entrypoint: "name",
  },
  smart_rollup_originate: {
    ...HEADER,
    pvm: "name",
    kernel: "hex",
    parametersType: "micheline",
    whitelist: "addresses",
  },
  smart_rollup_add_messages: { ...HEADER, messages: "texts" },
  smart_rollup_cement: { ...HEADER, rollup: "address" },
  smart_rollup_publish: {
    ...HEADER,
    rollup: "address",
    state: "hash",
    inboxLevel: "number",
    predecessor: "hash",
    ticks: "number",
  },
  smart_rollup_refute: { ...HEADER, rollup: "address", opponent: "address", refutation: "refutation" },
  smart_rollup_timeout: { ...HEADER, rollup: "address", alice: "address", bob: "address" },
  smart_rollup_execute_outbox_message: { ...HEADER, rollup: "address", commitment: "hash", proof: "hex" },
  smart_rollup_recover_bond: { ...HEADER, rollup: "address", staker: "address" },
  dal_publish_commitment: { ...HEADER, slotIndex: "number", commitment: "hash", proof: "hex" },

  seed_nonce_revelation: { level: "number", nonce: "hex" },
  vdf_revelation: { result: "hex", proof: "hex" },
  double_consensus_operation_evidence: { slot: "number", first: "vote", second: "vote" },
  double_baking_evidence: { first: "block", second: "block" },
  dal_entrapment_evidence: {
    attestation: "vote",
    consensusSlot: "number",
    slotIndex: "number",
    lagIndex: "number",
    shardIndex: "number",
  },
  preattestations_aggregate: AGGREGATE,
  attestations_aggregate: AGGREGATE,
  activate_account: { address: "address", secret: "hex" },
  proposals: { source: "address", period: "number", proposals: "hashes" },
  ballot: { source: "address", period: "number", proposal: "hash", ballot: "name" },
  drain_delegate: { consensusKey: "address", delegate: "address", destination: "address" },
  failing_noop: { arbitrary: "text" },
};

/** Of what lies in a field, the same. */
export const VOTE: FormatsOf<InlinedVote> = { kind: "name", level: "number", round: "number" };
export const BLOCK: FormatsOf<InlinedBlock> = { level: "number", round: "number" };
export const MOVES: {
  readonly [Move in Refutation["move"]]: FormatsOf<Extract<Refutation, { readonly move: Move }>>;
} = {
  start: { move: "name", playerCommitment: "hash", opponentCommitment: "hash" },
  dissection: { move: "name", choice: "number", sections: "sections" },
  proof: { move: "name", choice: "number", proof: "hex", input: "name" },
};
export const SECTION: FormatsOf<RefutationSection> = { state: "hash", tick: "number" };
