import type { Computer } from "./computer.ts";
import { type CaseResult, has, lostOf, type Name, type Results, requestsOf, timesOf } from "./results.ts";
import { added, median, quantileOrNone, type Spread, spread } from "./statistics.ts";

/**
 * The measured part of docs/performance.md. Pure.
 * @module
 */

/** How those who are asked are called there. */
export const TITLES: Readonly<Record<Name, string>> = {
  alone: "vault or token alone",
  ours: "this signer",
  peer: "Signatory v1.4.0",
};
const NAMES = Object.keys(TITLES) as readonly Name[];

/** How a run was made. */
export interface Made {
  readonly computer: Computer;
  readonly minutes: number;
  readonly repetitions: number;
}

/** Describes a whole run, in Markdown. */
export function pageOf(results: Results, made: Made): string {
  const open = results.cases.filter(({ case: { rate } }) => rate !== undefined);
  const closed = results.cases.filter(({ case: { rate } }) => rate === undefined);
  const staged = results.cases.filter(({ case: { name } }) => [BASE, ...PAUSES].includes(name));
  return [
    ...(hasBase(results) ? [`In short: ${figureOf(results)}.`] : []),
    computerOf(made),
    ...(closed.length > 0 ? ["### One request at a time", caseTable(closed)] : []),
    ...(open.length > 0 ? ["### At a rate", caseTable(open)] : []),
    ...(staged.length > 0 ? ["### By stage of this signer, mean in milliseconds", stageTable(staged)] : []),
    ...(results.starts.length > 0 ? ["### Start and memory", startTable(results)] : []),
  ].join("\n\n");
}

const BASE = "base case";
const PAUSES = ["1 s between two requests", "6 s between two requests"] as const;
const [, LONGEST_PAUSE] = PAUSES;

function hasBase({ cases }: Results): boolean {
  return [BASE, LONGEST_PAUSE].every((name) => cases.some((each) => each.case.name === name));
}

/** Words the figure that README has: what is added in the base case and with a baker's pauses. @throws Error where it is not measured */
export function figureOf({ cases }: Results): string {
  const at = (name: string) => {
    const found = cases.find((each) => each.case.name === name);
    if (found === undefined) throw new Error(`"${name}" was not measured`);
    return number(addedOf(found, "ours", 0.5).median);
  };
  return `as octez asks, a signature takes ${at(BASE)} ms more than the vault's own 20, and ${at(LONGEST_PAUSE)} after six seconds in which nobody asked`;
}

/** Words one line of a case, for whoever watches. */
export function summary(result: CaseResult): string {
  return NAMES.filter((name) => has(result, name))
    .map((name) => {
      const own = !isCompared(result, name) ? "" : ` (+${number(addedOf(result, name, 0.5).median)})`;
      return `${TITLES[name]} ${number(quantileOrNone(timesOf(result, name), 0.5))}${own}${lostIn(result, name, " lost ")}`;
    })
    .join(", ");
}

function computerOf({ computer, minutes, repetitions }: Made): string {
  const { processor, cores, memory, system, load } = computer;
  const disturbed = `When it began, other work wanted ${load.toFixed(1)} cores; the host gave ${percent(computer.stolen())} of the processor time to others.`;
  return (
    `Measured on ${cores} cores of ${processor} with ${memory}, ${system}. Vault, client and signers share these cores. ` +
    `${disturbed} ${repetitions} ${repetitions === 1 ? "repetition" : "repetitions"} in ${minutes} minutes, each with new processes, ` +
    "all that is compared in turns within one run. Milliseconds; after the median of the repetitions the least and the most."
  );
}

function caseTable(cases: readonly CaseResult[]): string {
  const rows = cases.flatMap((result) =>
    NAMES.filter((name) => has(result, name)).map((name, index) => {
      const times = timesOf(result, name);
      const quantiles = [0.5, 0.99, 0.999].map((share) => number(quantileOrNone(times, share)));
      const adds = !isCompared(result, name) ? "" : inWords(addedOf(result, name, 0.5));
      return [
        index === 0 ? result.case.name : "",
        TITLES[name],
        quantiles[0],
        adds,
        quantiles[1],
        quantiles[2],
        `${lostIn(result, name) || 0} of ${requestsOf(result, name)}`,
        processorOf(result, name),
      ];
    }),
  );
  return table(["case", "asked", "p50", "adds at p50", "p99", "p99.9", "not signed", "processor time a request"], rows);
}

function stageTable(cases: readonly CaseResult[]): string {
  const stages = [
    ...new Set(cases.flatMap(({ repetitions }) => repetitions.flatMap((each) => [...each.stages.keys()]))),
  ];
  const rows = stages.map((stage) => [
    stage,
    ...cases.map(({ repetitions }) => number(median(repetitions.flatMap((each) => each.stages.get(stage) ?? [])))),
  ]);
  return table(["stage", ...cases.map((each) => each.case.name)], rows);
}

function startTable({ starts, memory }: Results): string {
  const names = NAMES.filter((name) => starts.some((each) => each.has(name)));
  const row = (title: string, values: (name: Name) => readonly number[]) => [
    title,
    ...names.map((name) => inWords(spread(values(name)), 0)),
  ];
  const rows = [
    row("from the start of the process to its first signature, ms", (name) =>
      starts.flatMap((each) => each.get(name)?.milliseconds ?? []),
    ),
    row("memory after the first signature (RSS), MiB", (name) =>
      starts.flatMap((each) => each.get(name)?.memory ?? []),
    ),
    ...(memory.length > 0
      ? [row("memory after the rates above, MiB", (name) => memory.flatMap((each) => each.get(name) ?? []))]
      : []),
  ];
  return table(["", ...names.map((name) => TITLES[name])], rows);
}

/** Whether there is something to add to. */
function isCompared(result: CaseResult, name: Name): boolean {
  return name !== "alone" && has(result, "alone");
}

function addedOf({ repetitions }: CaseResult, name: Name, share: number): Spread {
  const pairs = repetitions.flatMap(({ of }) => {
    const [alone, own] = [of.get("alone"), of.get(name)];
    return alone && own && own.times.length > 0 ? [{ alone: alone.times, own: own.times }] : [];
  });
  return added(pairs, share);
}

function processorOf(result: CaseResult, name: Name): string {
  const spent = result.repetitions.flatMap(({ of }) => of.get(name)?.processor ?? []);
  if (spent.length === 0) return "";
  return number(spent.reduce((sum, each) => sum + each, 0) / requestsOf(result, name));
}

/** How many were lost and how, such as `3 (429 x 2, none x 1)`; empty where none was. */
function lostIn(result: CaseResult, name: Name, before = ""): string {
  const lost = [...lostOf(result, name)];
  if (lost.length === 0) return "";
  const sum = lost.reduce((all, [, count]) => all + count, 0);
  return `${before}${sum} (${lost.map(([outcome, count]) => `${outcome} x ${count}`).join(", ")})`;
}

function inWords({ median: middle, least, most }: Spread, digits?: number): string {
  const [one, from, to] = [middle, least, most].map((value) => number(value, digits));
  return from === to ? `${one}` : `${one} (${from} to ${to})`;
}

function number(value: number | undefined, digits = 2): string {
  return value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(digits);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function table(head: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const [BEGIN, END] = ["<!-- measured by npm run bench -->", "<!-- end of what is measured -->"];

/** Puts what was measured into docs/performance.md. @throws Error where the page has no place for it */
export function withMeasured(page: string, measured: string): string {
  return between(page, BEGIN, END, `\n\n${measured}\n\n`);
}

/** Puts the figure into README. @throws Error where it has no place for it */
export function withFigure(readme: string, figure: string): string {
  return between(readme, "**It is fast enough**: ", " ([performance.md]", figure);
}

function between(text: string, before: string, after: string, what: string): string {
  const from = text.indexOf(before) + before.length;
  const to = text.indexOf(after, from);
  if (from < before.length || to < 0) throw new Error(`there is no "${before}" followed by "${after}"`);
  return text.slice(0, from) + what + text.slice(to);
}
