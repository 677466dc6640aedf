/**
 * `npm run bench`: how fast the signer is, beside the vault alone and, with --peer, beside Signatory in the same run. Writes
 * docs/performance.md and its picture. Absolute times say little about another computer; what is added, and the ratios, do.
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandLine, numberFrom, wholeNumberFrom } from "../test/emulators/command-line.ts";
import { temporaryFolder } from "../test/emulators/signer-process.ts";
import { byRig, CASES, type Case, timeOf } from "./cases.ts";
import { thisComputer } from "./computer.ts";
import { closedLoop, newRun, openLoop, warmUp } from "./load.ts";
import { figureOf, pageOf, summary, withFigure, withMeasured } from "./page.ts";
import { pictureOf } from "./picture.ts";
import { memory, processorTime } from "./process.ts";
import type { CaseResult, Measured, Name, Repetition, Results } from "./results.ts";
import { type Rig, type Start, startRig } from "./rig.ts";
import { hasToken } from "./token.ts";

interface Options {
  readonly minutes: number;
  readonly repetitions: number;
  readonly quick?: true;
  readonly peer?: string;
  readonly only?: string;
  readonly write?: true;
}

const given = commandLine(
  "bench",
  "Measures what the signer adds to the time of an emulated vault: a base case, and one thing changed at a time. The vault " +
    "alone, this signer and, with --peer, Signatory are asked in turns.",
)
  .option(
    "--minutes <number>",
    "what the cases take together, besides the starts of their processes",
    numberFrom(0.1),
    45,
  )
  .option("--repetitions <number>", "how often each case is measured, with new processes", wholeNumberFrom(1), 5)
  .option("--quick", "three minutes and one repetition")
  .option("--peer <path>", "a program of Signatory's, as .ci/signatory prints it")
  .option("--only <text>", "cases whose name has this text")
  .option("--write", "write docs/performance.md, its pictures and the figure in README.md")
  .parse()
  .opts<Options>();
const { minutes, repetitions } = given.quick ? { minutes: 3, repetitions: 1 } : given;

const ROOT = join(import.meta.dirname, "..");
const only = given.only ?? "";
const cases = CASES.filter(({ name, rig }) => name.includes(only) && (rig.keys === "vault" || hasToken));
if (cases.length === 0) {
  end(`No case has "${only}" in its name. There are: ${CASES.map(({ name }) => name).join("; ")}.`);
}
if (given.write && cases.length < CASES.length) {
  end(
    only === ""
      ? "--write takes all cases: SoftHSM2 or its package is missing (npm run hardware)."
      : "--write takes all cases: leave out --only.",
  );
}
const compiled = await temporaryFolder();
const computer = thisComputer();
const measured = new Map<Case, Repetition[]>(cases.map((each) => [each, []]));
const starts: ReadonlyMap<Name, Start>[] = [];
const memories: ReadonlyMap<Name, number>[] = [];

for (let repetition = 1; repetition <= repetitions; repetition += 1) {
  for (const [form, own] of byRig(cases)) {
    await using rig = await startRig(form, { peer: given.peer, compiled: compiled.path });
    if (form.keys === "vault" && form.store === "sqlite") starts.push(rig.starts);
    for (const each of own) {
      const result = await measure(rig, each);
      measured.get(each)?.push(result);
      console.log(`${repetition}/${repetitions} ${each.name}: ${summary({ case: each, repetitions: [result] })}`);
    }
    if (own.some(({ rate }) => rate !== undefined)) {
      memories.push(new Map(rig.subjects.flatMap(({ name, pid }) => (pid ? [[name, memory(pid)] as const] : []))));
    }
  }
}

const results: Results = {
  cases: [...measured].map(([each, repeated]): CaseResult => ({ case: each, repetitions: repeated })),
  starts,
  memory: memories,
};
const text = pageOf(results, { computer, minutes, repetitions });
console.log(text);
if (given.write) {
  change("docs/performance.md", (page) => withMeasured(page, text));
  change("README.md", (page) => withFigure(page, figureOf(results)));
  for (const theme of ["light", "dark"] as const) {
    writeFileSync(join(ROOT, `docs/pictures/performance-${theme}.svg`), pictureOf(results, theme));
  }
}
await compiled[Symbol.asyncDispose]();
process.exit(); // connections that are kept would hold it up

async function measure(rig: Rig, each: Case): Promise<Repetition> {
  await rig.set(each.mood);
  const subjects = rig.subjects.filter(({ name }) => name === "ours" || each.isOursAlone !== true);
  const runs = new Map(subjects.map((subject) => [subject, newRun()]));
  const asked = new Map([...runs].map(([{ ask }, run]) => [ask[each.way], run]));
  await warmUp(asked.keys());
  const before = { stages: await rig.stages(), processor: processorTimes(rig), at: performance.now() };
  const duration = timeOf(each, cases, repetitions, minutes * 60_000);
  if (each.rate === undefined) await closedLoop(asked, each.pause, duration);
  else await openLoop(asked, each.rate, duration);
  const after = { stages: await rig.stages(), processor: processorTimes(rig), at: performance.now() };
  const stages = [...after.stages].map(([stage, { sum, count }]) => {
    const earlier = before.stages.get(stage);
    return [stage, (sum - (earlier?.sum ?? 0)) / Math.max(1, count - (earlier?.count ?? 0))] as const;
  });
  const of = [...runs].map(([{ name }, run]): [Name, Measured] => {
    const [began = 0, ended] = [before.processor.get(name), after.processor.get(name)];
    return [name, { ...run, processor: ended && ended - began }];
  });
  return { duration: after.at - before.at, of: new Map(of), stages: new Map(stages) };
}

function processorTimes({ subjects }: Rig): ReadonlyMap<Name, number> {
  return new Map(subjects.flatMap(({ name, pid }) => (pid ? [[name, processorTime(pid)] as const] : [])));
}

function end(message: string): never {
  console.error(message);
  process.exit(2);
}

function change(path: string, make: (text: string) => string): void {
  writeFileSync(join(ROOT, path), make(readFileSync(join(ROOT, path), "utf8")));
}
