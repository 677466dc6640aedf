import { FIGURES_NAMESPACE } from "../contract.ts";
import type { Figure } from "./metrics.ts";

/**
 * The signer's metrics as Azure Monitor takes them: one line of JSON for each metric, with what its series did in the minute
 * (learn.microsoft.com, "Ingest custom metrics for an Azure resource using the REST API").
 * @module
 */

/** What one series did: Azure adds up what comes for the same minute. */
interface Sample {
  readonly dimValues?: readonly string[];
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly count: number;
}

/** Azure's limit of a body is 4 MB; all figures of ten keys have a tenth of this, in characters. */
const MOST = 1_000_000;

/** The figures of a minute. */
export interface MonitorPost {
  /** JSON documents, a line each. */
  readonly body: string;
  /** Notes that Azure has them. Until then what was counted comes again with the next ones. */
  sent(): void;
}

/**
 * Counts since the last figures that Azure has taken. Nothing is queued: while Azure takes none, what happens is added up in
 * the metrics themselves, and comes in the first minute after.
 */
export class MonitorPoints {
  /** Of each counter, bucket and sum what Azure has; as many as the metrics have series. */
  #taken: ReadonlyMap<string, number> = new Map();

  /** @param figures of now */
  of(figures: readonly Figure[], at: Date): MonitorPost {
    const totals = new Map<string, number>();
    const since = (name: string, total: number) => {
      totals.set(name, total);
      return total - (this.#taken.get(name) ?? 0);
    };
    let body = "";
    for (const figure of figures) {
      const { name, value } = ageOf(figure.name, at);
      const series =
        figure.type === "histogram"
          ? durations(figure, since)
          : plain(figure, figure.type === "counter" ? since : value);
      for (const { labels, samples } of series) {
        const dimNames = labels.length === 0 ? {} : { dimNames: labels };
        const baseData = { metric: name, namespace: FIGURES_NAMESPACE, ...dimNames, series: samples };
        const line = `${JSON.stringify({ time: at.toISOString(), data: { baseData } })}\n`;
        if (body.length + line.length <= MOST) body += line;
      }
    }
    const sent = () => {
      this.#taken = totals;
    };
    return { body, sent };
  }
}

interface Series {
  readonly labels: readonly string[];
  readonly samples: readonly Sample[];
}

/** A time as seconds from now: no chart or alert of Azure's knows how to take it from the clock. */
function ageOf(name: string, at: Date): { name: string; value: (name: string, value: number) => number } {
  const now = at.getTime() / 1_000;
  const [, what, isEnd] = /^(.+?)(_expiry)?_timestamp_seconds$/.exec(name) ?? [];
  if (what === undefined) return { name, value: (_, value) => value };
  return isEnd === undefined
    ? { name: `${what}_seconds_ago`, value: (_, value) => now - value }
    : { name: `${what}_seconds_left`, value: (_, value) => value - now };
}

function plain({ name, values }: Figure, told: (name: string, value: number) => number): Series[] {
  const samples = values.flatMap(({ labels, value }) => {
    const one = told(keyOf(name, labels), value);
    // JSON has no other numbers, and Azure would refuse all that comes with one.
    return Number.isFinite(one) ? [{ labels, sample: { min: one, max: one, sum: one, count: 1 } }] : [];
  });
  return grouped(samples);
}

/** Of a histogram Azure gets what it can hold: how many, their sum, and between which bounds they were. */
function durations({ name, values }: Figure, since: (name: string, total: number) => number): Series[] {
  const all = Map.groupBy(values, ({ labels: { le: _, ...others } }) => keyOf(name, others));
  const samples = [...all].flatMap(([key, own]) => {
    const found = { min: undefined as number | undefined, max: 0, sum: 0, count: 0 };
    let [below, labels]: [number, Figure["values"][number]["labels"]] = [0, {}];
    for (const { labels: given, metricName, value } of own) {
      const { le, ...others } = given;
      labels = others;
      if (metricName === `${name}_sum`) found.sum = since(`${key} sum`, value);
      if (le === undefined) continue;
      const count = since(`${key} ${le}`, value);
      const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
      if (count > 0) found.min ??= below;
      if (count > found.count) found.max = bound;
      found.count = count;
      if (bound < Number.POSITIVE_INFINITY) below = bound;
    }
    const { min = 0, max, sum, count } = found;
    if (count === 0) return [];
    // Above the last bound it is known only that they took longer, and how long on average.
    return [{ labels, sample: { min, max: Number.isFinite(max) ? max : Math.max(below, sum / count), sum, count } }];
  });
  return grouped(samples);
}

/** Puts series of the same labels into one document, which names them once. */
function grouped(
  all: readonly { readonly labels: Figure["values"][number]["labels"]; readonly sample: Sample }[],
): Series[] {
  return [...Map.groupBy(all, ({ labels }) => Object.keys(labels).sort().join(" "))].map(([, own]) => {
    const labels = Object.keys(own[0]?.labels ?? {}).sort();
    const samples = own.map(({ labels: given, sample }) =>
      labels.length === 0 ? sample : { dimValues: labels.map((label) => String(given[label])), ...sample },
    );
    return { labels, samples };
  });
}

function keyOf(name: string, labels: Readonly<Record<string, string | number>>): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}
