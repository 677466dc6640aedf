import { spawn } from "node:child_process";
import { once } from "node:events";
import { type KillCounts, killCampaign } from "../campaign/kills.ts";
import { type Bounds, explore } from "./explorer.ts";
import { compareWithModel } from "./model.ts";
import { race } from "./races.ts";
import { SCENARIOS } from "./scenarios.ts";
import { twoSigners } from "./two-signers.ts";

/**
 * `npm run test:guard`: every campaign at its full size, with its counts. `npm test` runs a slice of each.
 *
 * The explorer's bounds are slices of three preemptions, two faults and one crash, each explored wholly: all of them
 * together would be tens of millions of schedules a scenario.
 */
const SLICES = {
  preemptions: [
    { preemptions: 3, faults: 0, crashes: 1 },
    { preemptions: 2, faults: 1, crashes: 0 },
  ],
  faults: [
    { preemptions: 1, faults: 1, crashes: 1 },
    { preemptions: 0, faults: 2, crashes: 1 },
  ],
} as const satisfies Record<string, readonly Bounds[]>;

async function exploreAll(slices: readonly Bounds[]): Promise<object> {
  const total = { scenarios: SCENARIOS.length, schedules: 0, states: 0, released: 0 };
  for (const scenario of SCENARIOS) {
    for (const bounds of slices) {
      const { violation, schedules, states, released } = await explore(scenario, bounds);
      if (violation !== undefined) throw new Error(violation);
      total.schedules += schedules;
      total.states += states;
      total.released += released;
    }
  }
  return total;
}

const CAMPAIGNS: Readonly<Record<string, () => Promise<object>>> = {
  "explorer, preemptions": () => exploreAll(SLICES.preemptions),
  "explorer, faults": () => exploreAll(SLICES.faults),
  model: () => compareWithModel(1_000_000),
  races: () => race(20, 1_000),
  kills: async (): Promise<KillCounts> => killCampaign(200),
  "two signers": () => twoSigners(60),
  durability: () => mocha("test/guard/durability.test.ts"),
  "seeded bugs": () => mocha("test/guard/explorer.test.ts"),
  "public suite": () => mocha("test/interchange/suite.test.ts"),
};

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
  console.log(`${name.padEnd(22)} ${JSON.stringify(counts)} in ${seconds} s`);
}

const [, , only] = process.argv;
if (only !== undefined) {
  await run(only);
  process.exit();
}
// Each campaign in a process of its own, two at a time: they are bound by waiting as much as by the processor.
const names = Object.keys(CAMPAIGNS);
let failed = 0;
await Promise.all(
  [0, 1].map(async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const child = spawn(process.execPath, [import.meta.filename, name], { stdio: "inherit" });
      const [code] = await once(child, "exit");
      if (code !== 0) failed += 1;
    }
  }),
);
console.log(`${Object.keys(CAMPAIGNS).length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
