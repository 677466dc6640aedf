import type { ConsensusKind } from "../tezos/payload/consensus-kind.ts";

/**
 * How long a request may take once it is read, in milliseconds, until it is answered or refused with 502. octez-baker asks
 * for all its delegates one after another and waits without end, so a late answer costs more than a quick refusal, which
 * octez repeats by itself. It calls a vote stalling after a third of a round (2 s of 6 s) and a block after half of one
 * (baker events stalling_signature and stalling_forge_block). Each leaves 200 ms for the way there and back.
 */
export const BUDGETS: Readonly<Record<ConsensusKind | "other", number>> = {
  preattestation: 1_800,
  attestation: 1_800,
  block: 2_800,
  other: 4_000,
};
