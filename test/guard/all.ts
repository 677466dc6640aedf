import { spawn } from "node:child_process";
import { once } from "node:events";
import { Argument } from "commander";
import { type KillCounts, killCampaign } from "../campaigns/kills.ts";
import { commandLine } from "../emulators/command-line.ts";
import { compileOnce } from "../harness/compiled.ts";
import { explore } from "./explorer/explore.ts";
import { compareHistories } from "./explorer/histories.ts";
import { compareReduction } from "./explorer/reduction.ts";
import type { Bounds } from "./explorer/world.ts";
import { killAtCalls } from "./kills-at-calls.ts";
import { compareWithModel } from "./model.ts";
import { race } from "./races.ts";
import { restoredSigner } from "./restored-signer.ts";
import { SCENARIOS } from "./scenarios.ts";
import { twoSigners } from "./two-signers.ts";

/**
 * `npm run test:guard`: every campaign at its full size, with its counts; in CI two signers for a quarter of their positions,
 * half of the kills, a fifth of the racing requests, and not the three files of tests that `npm test` has run whole.
 * `npm test` runs a slice of all others.
 */

/** All orders, with two faults and a crash, and with a deadline that ends and a crash. */
const BOUNDS: readonly Bounds[] = [
  { faults: 2, crashes: 1, deadlines: 0, imports: 1 },
  { faults: 0, crashes: 1, deadlines: 1, imports: 1 },
];

const ONE_FAULT = BOUNDS.map((bounds) => ({ ...bounds, faults: Math.min(bounds.faults, 1) }));

/** The scenario that two faults would make as large as all others together: it has one. */
const LARGEST = 6;

/** The number of schedules of each scenario. It changes with the guard's calls; whoever changes them looks here. */
const SCHEDULES = [
  8_991_687, 31_869_353, 57_604_027, 7_550_100, 12_971_678, 19_227_953, 10_566_471, 11_235_485, 31_033_768, 115_181,
  274_941, 530_779, 348_659, 358_074,
];

const ALONE = { faults: 0, crashes: 0, deadlines: 0, imports: 1 };

/** A fault or a crash, and not both in one order. */
const FAULT_OR_CRASH: readonly Bounds[] = [
  { ...ALONE, faults: 1 },
  { ...ALONE, crashes: 1 },
];

/**
 * Those that have less in CI, and their schedules there: a thirtieth of all, since a fault and a crash in one order make most
 * of them. The five small ones have all of it there too, and one large one has both together.
 */
const IN_CI: Readonly<Record<number, { readonly bounds: readonly Bounds[]; readonly schedules: number }>> = {
  0: { bounds: FAULT_OR_CRASH, schedules: 254_161 },
  1: { bounds: FAULT_OR_CRASH, schedules: 626_236 },
  2: { bounds: FAULT_OR_CRASH, schedules: 1_101_028 },
  3: { bounds: FAULT_OR_CRASH, schedules: 228_876 },
  4: { bounds: [{ ...ALONE, faults: 1, crashes: 1 }], schedules: 1_011_239 },
  5: { bounds: FAULT_OR_CRASH, schedules: 194_549 },
  6: { bounds: FAULT_OR_CRASH, schedules: 413_029 },
  7: { bounds: [...FAULT_OR_CRASH, { ...ALONE, deadlines: 1 }], schedules: 255_001 },
  8: { bounds: FAULT_OR_CRASH, schedules: 309_594 },
};

async function exploreWholly(index: number): Promise<object> {
  const [scenario] = SCENARIOS.slice(index);
  if (scenario === undefined) throw new Error("no such scenario");
  const fewer = process.env.CI === undefined ? undefined : IN_CI[index];
  const bounds = fewer?.bounds ?? (index === LARGEST ? ONE_FAULT : BOUNDS);
  const { violation, ends, ...counts } = await explore(scenario, bounds);
  if (violation !== undefined) throw new Error(violation);
  const expected = fewer?.schedules ?? SCHEDULES[index];
  if (counts.schedules !== expected)
    throw new Error(`${scenario.name}: ${counts.schedules} schedules and not ${expected}`);
  return { scenario: scenario.name, ...counts, ends: ends.size };
}

/** The explorer's reduction, held to doing without it. */
async function compareReductions(): Promise<object> {
  const scenarios = SCENARIOS.filter(({ name }) =>
    /^attestation: the first|itself|^attestation: other bytes of its position/.test(name),
  );
  const counts = [];
  for (const scenario of scenarios) counts.push({ scenario: scenario.name, ...(await compareReduction(scenario)) });
  return counts;
}

/** Of the campaigns of two signers, and of a store whose files are put back. */
const POSITIONS = process.env.CI === undefined ? 20_000 : 5_000;

const CAMPAIGNS: Readonly<Record<string, () => Promise<object>>> = {
  // The longest come first.
  "explorer 2": () => exploreWholly(2),
  kills: async (): Promise<KillCounts> => killCampaign(process.env.CI === undefined ? 200 : 100),
  ...Object.fromEntries(
    [1, 8, 0, 3, 5, 6, 4, 7, 9, 10, 11, 12, 13].map((index) => [`explorer ${index}`, () => exploreWholly(index)]),
  ),
  reduction: () => compareReductions(),
  histories: () => compareHistories(6_000),
  model: () => compareWithModel(1_000_000),
  // Beside other work a thousand at once wait longer than until their deadlines, and nothing is released.
  races: async () => {
    const counts = await race(20, process.env.CI === undefined ? 1_000 : 200);
    if (counts.released === 0) throw new Error("nothing was released in any race, so none shows anything");
    return counts;
  },
  "two signers": () => twoSigners(POSITIONS),
  "restored files": () => restoredSigner(POSITIONS),
  "kills at calls": () => killAtCalls(1),
  durability: () => mocha("test/guard/durability.test.ts"),
  "seeded bugs": () => mocha("test/guard/explorer.test.ts"),
  "public suite": () => mocha("test/conformance/suite.test.ts"),
};

/** Those that are files of `npm test`, which .ci/run runs as well. */
const IN_NPM_TEST = ["durability", "seeded bugs", "public suite"];

/** Runs a file of tests. @returns how many passed */
async function mocha(file: string): Promise<{ passed: number }> {
  const child = spawn("mocha", ["--no-config", "--reporter", "json", file], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  await once(child, "close");
  const { stats } = JSON.parse(text) as { stats: { passes: number; failures: number; pending: number } };
  if (stats.failures + stats.pending > 0)
    throw new Error(`${file}: ${stats.failures} failed, ${stats.pending} skipped`);
  return { passed: stats.passes };
}

async function run(name: string): Promise<void> {
  const started = performance.now();
  const counts = await CAMPAIGNS[name]?.();
  const seconds = Math.round((performance.now() - started) / 1_000);
  console.log(`${name.padEnd(14)} ${JSON.stringify(counts)} in ${seconds} s`);
}

/** Runs a campaign in a process of its own. @returns whether it passed, and its counts where it explores */
async function runApart(name: string): Promise<{ passed: boolean; explored?: Record<string, number> }> {
  const child = spawn(process.execPath, ["--max-old-space-size=8192", import.meta.filename, name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
    process.stdout.write(chunk);
  });
  const [code] = await once(child, "close");
  const counts = name.startsWith("explorer") ? /\{.*\}/.exec(text)?.[0] : undefined;
  return { passed: code === 0, ...(counts && { explored: JSON.parse(counts) }) };
}

const [only] = commandLine("test:guard", "Runs every campaign of the guard at its full size, or one of them.")
  .addArgument(new Argument("[campaign]").choices(Object.keys(CAMPAIGNS)))
  .parse().args;
if (only !== undefined) {
  await run(only);
  process.exit();
}
compileOnce("tezos-signer-guard");
const names = Object.keys(CAMPAIGNS).filter((name) => process.env.CI === undefined || !IN_NPM_TEST.includes(name));
const explorers = names.filter((name) => name.startsWith("explorer"));
const others = names.filter((name) => !name.startsWith("explorer"));
const total = { schedules: 0, worlds: 0, steps: 0, executed: 0 };
let failed = 0;
// Two explorers at a time, for their memory; the others wait as much as they compute, so one of them runs beside.
await Promise.all(
  [[explorers, others], [explorers, others], [others]].map(async (queues) => {
    const take = () => queues.find((queue) => queue.length > 0)?.shift();
    for (let name = take(); name !== undefined; name = take()) {
      const { passed, explored } = await runApart(name);
      if (!passed) failed += 1;
      for (const count of ["schedules", "worlds", "steps", "executed"] as const) total[count] += explored?.[count] ?? 0;
    }
  }),
);
console.log(`${"explorer, all".padEnd(14)} ${JSON.stringify(total)}`);
console.log(`${names.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
