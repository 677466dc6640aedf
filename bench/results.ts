import type { Case } from "./cases.ts";
import type { Outcome } from "./client.ts";
import type { Run } from "./load.ts";
import type { Start, Subject } from "./rig.ts";

/** Who is asked in a case. */
export type Name = Subject["name"];

/** One repetition of a case, of one who was asked. */
export interface Measured extends Run {
  /** Processor time of its process, in milliseconds; undefined of what has none of its own. */
  readonly processor?: number | undefined;
}

/** One repetition of a case. */
export interface Repetition {
  /** What it took, in milliseconds. */
  readonly duration: number;
  readonly of: ReadonlyMap<Name, Measured>;
  /** Mean milliseconds by stage, of this signer. */
  readonly stages: ReadonlyMap<string, number>;
}

/** A case with its repetitions. */
export interface CaseResult {
  readonly case: Case;
  readonly repetitions: readonly Repetition[];
}

/** What a whole run has measured. */
export interface Results {
  readonly cases: readonly CaseResult[];
  readonly starts: readonly ReadonlyMap<Name, Start>[];
  /** MiB at the end of the largest rig, by repetition. */
  readonly memory: readonly ReadonlyMap<Name, number>[];
}

/** Times of all repetitions together, in milliseconds. */
export function timesOf({ repetitions }: CaseResult, name: Name): readonly number[] {
  return repetitions.flatMap(({ of }) => of.get(name)?.times ?? []);
}

/** Counts requests that were not answered with a signature, by how they ended, of all repetitions together. */
export function lostOf({ repetitions }: CaseResult, name: Name): ReadonlyMap<Outcome, number> {
  const lost = new Map<Outcome, number>();
  for (const { of } of repetitions) {
    for (const [outcome, count] of of.get(name)?.lost ?? []) lost.set(outcome, (lost.get(outcome) ?? 0) + count);
  }
  return lost;
}

/** Counts how many requests were made of one, in all repetitions together. */
export function requestsOf(result: CaseResult, name: Name): number {
  return timesOf(result, name).length + [...lostOf(result, name).values()].reduce((sum, count) => sum + count, 0);
}

/** Tells whether the case was measured of one. */
export function has({ repetitions }: CaseResult, name: Name): boolean {
  return repetitions.some(({ of }) => of.has(name));
}
