import type { ConsensusKind } from "../tezos/payload/consensus-kind.ts";

/** Milliseconds by what is asked. */
export type Budgets = Readonly<Record<ConsensusKind | "other", number>>;

/**
 * How long a request may take once it is read, in milliseconds, until it is answered or refused with 502. octez-baker asks
 * for all its delegates one after another and waits without end, so a late answer costs more than a quick refusal, which
 * octez repeats by itself. It calls a vote stalling after a third of a round (2 s of 6 s) and a block after half of one
 * (baker events stalling_signature and stalling_forge_block). Each leaves 200 ms for the way there and back.
 */
export const BUDGETS: Budgets = { preattestation: 1_800, attestation: 1_800, block: 2_800, other: 4_000 };

/**
 * For how long a process counts as just started, in milliseconds: it has no connection and no code is warm, and what waited
 * in the socket's queue asks all at once. An answer that is near is then better than a refusal, so each kind has the
 * longest budget.
 */
const JUST_STARTED = 10_000;

/** Returns the budgets of a process that starts now. @param clock monotonic, milliseconds */
export function budgetsFromNow(clock: () => number = () => performance.now()): Budgets {
  const startedAt = clock();
  const of = (kind: keyof Budgets) => (clock() < startedAt + JUST_STARTED ? BUDGETS.other : BUDGETS[kind]);
  return {
    get preattestation() {
      return of("preattestation");
    },
    get attestation() {
      return of("attestation");
    },
    get block() {
      return of("block");
    },
    other: BUDGETS.other,
  };
}
