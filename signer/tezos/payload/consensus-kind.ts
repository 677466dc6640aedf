/** Kinds of consensus requests: each has its own watermark. DAL attestations are attestations. */
export const CONSENSUS_KINDS = ["block", "preattestation", "attestation"] as const;

export type ConsensusKind = (typeof CONSENSUS_KINDS)[number];

/** Tells whether the name of a kind is that of a consensus request. */
export function isConsensusKind(kind: string): kind is ConsensusKind {
  return CONSENSUS_KINDS.some((each) => each === kind);
}
