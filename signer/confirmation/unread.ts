import type { InlinedVote, Operation, RefutationInput } from "../tezos/payload/operation.ts";

/**
 * Counts what an operation's bytes hold and the decoder checks but does not give: a person is told that it is there.
 * @module
 */

const VOTE: Readonly<Record<InlinedVote["kind"], readonly string[]>> = {
  preattestation: ["branch", "slot", "payload hash", "signature"],
  attestation: ["branch", "slot", "payload hash", "signature"],
  attestation_with_dal: ["branch", "slot", "payload hash", "DAL attestation", "signature"],
  preattestations_aggregate: ["branch", "payload hash", "committee", "signature"],
  attestations_aggregate: ["branch", "payload hash", "committee with DAL attestations", "signature"],
};

/** Of a block header in evidence, without level and round. */
const BLOCK: readonly string[] = [
  "protocol number",
  "predecessor",
  "timestamp",
  "validation passes",
  "operations hash",
  "other parts of the fitness",
  "context",
  "payload hash",
  "payload round",
  "proof of work",
  "seed nonce hash",
  "votes",
  "signature",
];

const INPUT: Readonly<Record<RefutationInput, readonly string[]>> = {
  none: [],
  "inbox message": ["inbox level", "message counter", "inbox proof"],
  "raw data": ["raw data"],
  metadata: [],
  "DAL page": ["published level", "slot", "page", "DAL proof"],
  "DAL parameters": [],
  "first input": [],
};

/** Names the fields of an operation that are not shown. */
export function unread(operation: Operation): readonly string[] {
  switch (operation.kind) {
    case "double_consensus_operation_evidence":
      return [...VOTE[operation.first.kind], ...VOTE[operation.second.kind]];
    case "double_baking_evidence":
      return [...BLOCK, ...BLOCK];
    case "dal_entrapment_evidence":
      return [...VOTE[operation.attestation.kind], "shard", "shard's proof"];
    case "preattestations_aggregate":
      return ["payload hash"];
    case "attestations_aggregate":
      return ["payload hash", "DAL attestations"];
    case "smart_rollup_refute":
      return operation.refutation.move === "proof" ? INPUT[operation.refutation.input] : [];
    default:
      return [];
  }
}
