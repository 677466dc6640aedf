import type { Micheline } from "./micheline.ts";

/**
 * Operations as they are read from a payload. Addresses, keys and hashes are base58check, amounts are mutez,
 * opaque bytes are hex; a field that is undefined was absent.
 * @module
 */

/** What each manager operation holds besides its source, fee, counter and limits. */
export interface ManagerFields {
  reveal: { publicKey: string; proof: string | undefined };
  transaction: TransactionFields;
  stake: TransactionFields;
  unstake: TransactionFields;
  finalize_unstake: TransactionFields;
  set_delegate_parameters: TransactionFields;
  origination: { balance: bigint; delegate: string | undefined; code: Micheline; storage: Micheline };
  delegation: { delegate: string | undefined };
  register_global_constant: { value: Micheline };
  set_deposits_limit: { limit: bigint | undefined };
  increase_paid_storage: { bytes: bigint; destination: string };
  update_consensus_key: { publicKey: string; proof: string | undefined };
  update_companion_key: { publicKey: string; proof: string | undefined };
  transfer_ticket: {
    contents: Micheline;
    type: Micheline;
    ticketer: string;
    amount: bigint;
    destination: string;
    entrypoint: string;
  };
  smart_rollup_originate: {
    pvm: "arith" | "wasm_2_0_0" | "riscv";
    kernel: string;
    parametersType: Micheline;
    whitelist: readonly string[] | undefined;
  };
  smart_rollup_add_messages: { messages: readonly string[] };
  smart_rollup_cement: { rollup: string };
  smart_rollup_publish: {
    rollup: string;
    state: string;
    inboxLevel: number;
    predecessor: string;
    ticks: bigint;
  };
  smart_rollup_refute: { rollup: string; opponent: string; refutation: Refutation };
  smart_rollup_timeout: { rollup: string; alice: string; bob: string };
  smart_rollup_execute_outbox_message: { rollup: string; commitment: string; proof: string };
  smart_rollup_recover_bond: { rollup: string; staker: string };
  dal_publish_commitment: { slotIndex: number; commitment: string; proof: string };
}

export interface TransactionFields {
  amount: bigint;
  /** tz1… to tz5…, or KT1… */
  destination: string;
  entrypoint: string;
  parameters: Micheline;
}

/** One move in a smart rollup's refutation game; the proof of a step stays opaque. */
export type Refutation =
  | { readonly move: "start"; readonly playerCommitment: string; readonly opponentCommitment: string }
  | { readonly move: "dissection"; readonly choice: bigint; readonly sections: readonly RefutationSection[] }
  | { readonly move: "proof"; readonly choice: bigint; readonly proof: string; readonly input: RefutationInput };

export interface RefutationSection {
  readonly state: string | undefined;
  readonly tick: bigint;
}

export type RefutationInput =
  | "none"
  | "inbox message"
  | "raw data"
  | "metadata"
  | "DAL page"
  | "DAL parameters"
  | "first input";

/** What each operation that is alone in its payload holds. */
export interface SingleFields {
  seed_nonce_revelation: { level: number; nonce: string };
  vdf_revelation: { result: string; proof: string };
  double_consensus_operation_evidence: { slot: number; first: InlinedVote; second: InlinedVote };
  double_baking_evidence: { first: InlinedBlock; second: InlinedBlock };
  dal_entrapment_evidence: {
    attestation: InlinedVote;
    consensusSlot: number;
    slotIndex: number;
    lagIndex: number | undefined;
    shardIndex: number;
  };
  preattestations_aggregate: { level: number; round: number; slots: readonly number[] };
  attestations_aggregate: { level: number; round: number; slots: readonly number[] };
  activate_account: { address: string; secret: string };
  proposals: { source: string; period: number; proposals: readonly string[] };
  ballot: { source: string; period: number; proposal: string; ballot: "yay" | "nay" | "pass" };
  drain_delegate: { consensusKey: string; delegate: string; destination: string };
  failing_noop: { arbitrary: string };
}

/** A consensus operation inside a denunciation. */
export interface InlinedVote {
  readonly kind:
    | "preattestation"
    | "attestation"
    | "attestation_with_dal"
    | "preattestations_aggregate"
    | "attestations_aggregate";
  readonly level: number;
  readonly round: number;
}

/** A block header inside a denunciation. */
export interface InlinedBlock {
  readonly level: number;
  readonly round: number;
}

export type ManagerKind = keyof ManagerFields;
export type OperationKind = ManagerKind | keyof SingleFields;

/** Who pays, how much, in which order, and the limits. */
export interface ManagerHeader {
  readonly source: string;
  readonly fee: bigint;
  readonly counter: bigint;
  readonly gasLimit: bigint;
  readonly storageLimit: bigint;
}

interface Kinded<Kind> {
  readonly kind: Kind;
  /** The number on the wire. */
  readonly tag: number;
}

export type ManagerOperation = {
  [Kind in ManagerKind]: Kinded<Kind> & ManagerHeader & Readonly<ManagerFields[Kind]>;
}[ManagerKind];

export type SingleOperation = {
  [Kind in keyof SingleFields]: Kinded<Kind> & Readonly<SingleFields[Kind]>;
}[keyof SingleFields];

export type Operation = ManagerOperation | SingleOperation;

/**
 * Every kind that can come out of a payload, by octez's name for it, with its number on the wire (operation_repr.ml).
 * The four that share 108 are transactions to oneself which the protocol applies under these names.
 */
export const OPERATION_TAGS: Readonly<Record<OperationKind, number>> = {
  seed_nonce_revelation: 1,
  double_consensus_operation_evidence: 2,
  double_baking_evidence: 3,
  activate_account: 4,
  proposals: 5,
  ballot: 6,
  vdf_revelation: 8,
  drain_delegate: 9,
  failing_noop: 17,
  dal_entrapment_evidence: 24,
  preattestations_aggregate: 30,
  attestations_aggregate: 31,
  reveal: 107,
  transaction: 108,
  stake: 108,
  unstake: 108,
  finalize_unstake: 108,
  set_delegate_parameters: 108,
  origination: 109,
  delegation: 110,
  register_global_constant: 111,
  set_deposits_limit: 112,
  increase_paid_storage: 113,
  update_consensus_key: 114,
  update_companion_key: 115,
  transfer_ticket: 158,
  smart_rollup_originate: 200,
  smart_rollup_add_messages: 201,
  smart_rollup_cement: 202,
  smart_rollup_publish: 203,
  smart_rollup_refute: 204,
  smart_rollup_timeout: 205,
  smart_rollup_execute_outbox_message: 206,
  smart_rollup_recover_bond: 207,
  dal_publish_commitment: 230,
};

/** The one list of operation names: policies name kinds from it. */
export const OPERATION_KINDS = Object.keys(OPERATION_TAGS) as readonly OperationKind[];
