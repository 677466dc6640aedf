/**
 * What was asked while something happened to a machine, counted. Pure.
 * @module
 */
import type { Asked } from "./baker.ts";
import type { Event } from "./events.ts";

/** What one thing that happens to a machine costs the baker. */
export interface Cost {
  readonly what: string;
  /** At which moment: any, or while the machine reserves a position. */
  readonly moment: Moment;
  /** Nothing may fail. */
  readonly planned: boolean;
  readonly requests: number;
  /** Requests without a signature, but for those that lost against other bytes of the same position. */
  readonly failed: number;
  /** The same by what the client was told. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Milliseconds, of a client without and of one with a time-out. */
  readonly longest: { readonly without: number; readonly within: number };
  /** Requests that waited as long as the client without a time-out does. */
  readonly hanging: number;
  /** Whom the balancer sent to from when on, milliseconds after it began. */
  readonly sent: readonly { readonly after: number; readonly to: readonly string[] }[];
}

/** When something happens. */
export type Moment = "any" | "reservation";

/** The machines that the balancer sends to, and since when, milliseconds since 1970. */
export interface Up {
  readonly at: number;
  readonly up: readonly string[];
}

export interface PairResult {
  readonly costs: readonly Cost[];
  readonly positions: number;
  readonly released: number;
  /** Positions for which two payloads, or a block for which two signatures, were released. */
  readonly second: number;
}

interface Happened extends Pick<Event, "what" | "planned"> {
  readonly moment: Moment;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/**
 * Counts what something has cost.
 * @param patient the key of the client that has a time-out
 */
export function costOf(happened: Happened, asked: readonly Asked[], ups: readonly Up[], patient: string): Cost {
  const { what, moment, planned, from, to } = happened;
  const during = asked.filter(({ at, wait }) => at + wait >= from && at <= to);
  const lost = ({ status, level, form, key }: Asked) =>
    status === 409 &&
    asked.some((one) => one.bytes === 2 && one.level === level && one.form === form && one.key === key);
  const failed = during.filter((one) => one.status !== 200 && !lost(one) && one.bytes === 1);
  const longest = (all: readonly Asked[]) => all.reduce((most, { wait }) => Math.max(most, wait), 0);
  const [within, without] = [during.filter(({ key }) => key === patient), during.filter(({ key }) => key !== patient)];
  return {
    ...{ what, moment, planned, requests: during.length, failed: failed.length, reasons: reasonsOf(failed) },
    longest: { without: longest(without), within: longest(within) },
    hanging: without.filter(({ hung }) => hung).length,
    sent: ups.filter(({ at }) => at >= from && at <= to).map(({ at, up }) => ({ after: at - from, to: up })),
  };
}

function reasonsOf(failed: readonly Asked[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, message = "" } of failed) {
    const reason = `${status} ${message.replace(/\d+/g, "N").slice(0, 90)}`;
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

/** Counts the positions that were asked for. */
export function positionsIn(asked: readonly Asked[]): number {
  return new Set(asked.map(placeOf)).size;
}

/** Looks for what must not be: two payloads of one position, two signatures of one block. */
export function released(asked: readonly Asked[]): Omit<PairResult, "costs"> {
  const signed = new Map<string, Set<string>>();
  for (const one of asked) {
    const { form, bytes, signature } = one;
    if (signature === undefined) continue;
    const what = form === "block" ? `${bytes} ${signature}` : String(bytes);
    signed.set(placeOf(one), (signed.get(placeOf(one)) ?? new Set()).add(what));
  }
  const second = [...signed.values()].filter((each) => each.size > 1).length;
  const count = asked.filter(({ signature }) => signature !== undefined).length;
  return { positions: positionsIn(asked), released: count, second };
}

function placeOf({ key, form, level }: Asked): string {
  return `${key} ${form} ${level}`;
}

/** Says in a line what something has cost. */
export function inWords({ requests, failed, longest, hanging }: Cost): string {
  return `${failed} of ${requests} requests failed, ${hanging} hung; the longest wait ${seconds(longest.without)} s without a time-out, ${seconds(longest.within)} s with one`;
}

/** Says what must not be; nothing where all is as it should. */
export function broken({ costs, second }: PairResult): string[] {
  return [
    ...(second > 0 ? [`${second} positions were signed twice`] : []),
    ...costs
      .filter(({ planned, failed, hanging }) => planned && failed + hanging > 0)
      .map((cost) => `a planned event cost something: ${cost.what}: ${inWords(cost)}`),
  ];
}

/** Draws the result as a table in Markdown. */
export function tableOf({ costs, positions, released, second }: PairResult): string {
  const rows = costs.map(({ what, moment, requests, failed, longest, hanging, sent, planned }) => [
    moment === "any" ? what : `${what}, while it reserves`,
    ...[requests, failed, hanging],
    ...[longest.without, longest.within].map(seconds),
    planned || sent[0] === undefined ? "–" : seconds(sent[0].after),
  ]);
  const head = ["what happens", "requests", "failed", "hung", "longest wait, s", "with a time-out, s", "left after, s"];
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return `${lines.join("\n")}\n\n${positions} positions, ${released} signatures, ${second} positions signed twice`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}
