import { inWords } from "../../installation/own-release.ts";
import type { HourReport } from "../../observability/last-hour.ts";
import type { StatusReport } from "../status.ts";

/** Good or not, in one word, and why. */
export interface Verdict {
  readonly word: "Good" | "Attention" | "Down";
  /** Class of the style. */
  readonly tone: "good" | "warn" | "bad";
  /** What somebody is to look at, in sentences. */
  readonly things: readonly string[];
}

/** Judges a signer by what it says of itself: whether it can sign, and what else wants a person. */
export function verdictOf(status: StatusReport, { now }: HourReport): Verdict {
  const things = [...new Set([...status.reasons, ...wants(status, now.failed)])];
  if (!status.ready) return { word: "Down", tone: "bad", things };
  return things.length === 0 ? { word: "Good", tone: "good", things } : { word: "Attention", tone: "warn", things };
}

function* wants({ release, head, confirmations, otherMachines }: StatusReport, failed: number): Iterable<string> {
  if (failed > 0)
    yield `${counted(failed, "request")} failed in the last 5 minutes, by the vault, the store or the signer.`;
  const { waiting, problem } = confirmations;
  if (waiting.length > 0)
    yield `${counted(waiting.length, "request")} ${waiting.length === 1 ? "waits" : "wait"} for a person.`;
  for (const each of [problem, head?.problem ?? null, release.problem]) if (each !== null) yield each;
  for (const { problems } of otherMachines ?? []) yield* problems;
  const { refused } = release;
  if (refused !== null) yield `Release ${inWords(refused)} was refused: ${refused.reason}`;
}

/** Words a number of things: "1 request", "2 requests". */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
