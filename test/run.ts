/**
 * `npm test`: every test file but those of programs as they are started, which `npm run test:processes` has by this file as
 * well, of the whole Pulumi program and of stacks, which `npm run test:stack` has, and of the packing of a release, which
 * `npm run test:release` has. They are run in shares, several at once, since the tests wait more than they compute. A
 * share's text comes as one piece when it is done.
 * At the end: what was slow, what took the processor, and the sum. Words after `--` go to mocha.
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { commandLine } from "./emulators/command-line.ts";
import { compileOnce } from "./harness/compiled.ts";
import { processorTime } from "./harness/processor-time.ts";

/**
 * The shares of each script by the beginnings of their files' paths, each file in the first that fits. The longest are begun
 * first; a file that turns up among the slowest at the end may have a row of its own. Each row costs a second, for what mocha
 * loads.
 */
const SHARES = {
  /** Programs as they are started, each in processes of its own: they take half of the processor time of all tests. */
  "test:processes": [
    ["test/signer/cli/serve-user-data", "test/signer/cli/try"],
    ["test/signer/backends", "test/campaigns/pair-interrupted"],
    ["test/signer/cli/serve"],
    ["test/signer/cli/completion", "test/signer/cli/foreseen"],
    ["test/bench/bench", "test/bench/observing"],
    ["test/machine/compiled", "test/signer/http/inherited-sockets"],
    ["test/command-lines", "test/docs/named-commands", "test/docs/run-command", "test/infra/preflight/command"],
    ["test/emulators/command-line", "test/emulators/signer-process", "test/emulators/vault"],
    ["test/docs/coming-from", "test/docs/screens", "test/docs/typed-blocks", "test/signer/confirmation/hostile"],
    ["test/infra/plan/plan", "test/infra/setup/"],
    ["test/infra/verify/"],
  ],
  test: [
    ["test/signer/cli/"],
    ["test/signer/keys/"],
    ["test/signer/http/", "test/signer/confirmation/"],
    ["test/guard/", "test/conformance/"],
    ["test/infra/preflight/", "test/infra/azure-types/"],
    ["test/infra/", "test/emulators/", "test/machine/"],
    ["test/signer/"],
    ["test/"],
  ],
} as const;
type Script = keyof typeof SHARES;

/** A share takes two minutes. One that hangs is ended, with all that it started, so that the others' sum is told. */
const HANGS_AFTER = 20 * 60_000;

/** What one test or hook took, as the reporter tells it: on the clock, and of the processor. */
interface Time {
  readonly file: string;
  readonly title: string;
  readonly milliseconds: number;
  readonly processor: number;
}

interface Ended {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly times: readonly Time[];
}

/**
 * `npm run test:stack` has the first two, since each run of the whole program takes five seconds of the processor, and
 * `npm run test:release` the others, which fetch and pack.
 */
const ELSEWHERE = [
  "test/infra/engine",
  "test/infra/program.test.ts",
  "test/release/archives.test.ts",
  "test/release/release.test.ts",
];

/** Every test file of a script, in its share. @throws Error where a row has none left */
function shares(script: Script): readonly (readonly string[])[] {
  const files = new Set(globSync("test/**/*.test.ts", { exclude: ELSEWHERE }).sort());
  return Object.entries(SHARES).flatMap(([of, rows]) =>
    rows.flatMap((beginnings) => {
      const share = [...files].filter((file) => beginnings.some((beginning) => file.startsWith(beginning)));
      if (share.length === 0) throw new Error(`test/run.ts: no test begins with ${beginnings.join(" or ")}`);
      for (const file of share) files.delete(file);
      return of === script ? [share] : [];
    }),
  );
}

/** Ends a share and all that it started. */
const running = new Set<(signal: NodeJS.Signals) => void>();

/** Runs one share and prints what it said. A share that ends without its last line has failed, whatever it counted. */
async function run(share: readonly string[]): Promise<Ended> {
  const started = performance.now();
  const child = spawn("mocha", [...share, ...given], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  const end = (signal: NodeJS.Signals) => process.kill(-(child.pid ?? 0), signal);
  running.add(end);
  const hangs = setTimeout(end, HANGS_AFTER, "SIGKILL");
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      text += chunk;
    });
  }
  let times: readonly Time[] = [];
  child.on("message", (told) => {
    times = told as readonly Time[];
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(hangs);
  running.delete(end);
  const counts = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(text)?.slice(1) ?? [];
  const [passed = 0, failed = 0, skipped = 0] = counts.map((count) => Number(count ?? 0));
  const broken = code !== 0 && failed === 0 ? 1 : 0;
  if (passed + failed + skipped + broken > 0) {
    const folders = new Set(share.map((file) => dirname(file).split("/").slice(0, 2).join("/")));
    const name = share.length === 1 ? share[0] : `${share.length} files of ${[...folders].join(", ")}`;
    console.log(
      `\n== ${name}: ${seconds(performance.now() - started)}${broken ? `, ended with ${code ?? signal}` : ""}`,
    );
    process.stdout.write(text);
  }
  return { passed, failed: failed + broken, skipped, times };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** Prints the ten that took most, by the clock or by the processor. */
function most(
  what: string,
  by: "milliseconds" | "processor",
  times: readonly Time[],
  name: (time: Time) => string,
): void {
  const sums = [...Map.groupBy(times, name)].map(([name, all]) => ({
    name,
    milliseconds: all.reduce((sum, time) => sum + time.milliseconds, 0),
    processor: all.reduce((sum, time) => sum + time.processor, 0),
  }));
  console.log(`\n${what}`);
  for (const { name, milliseconds, processor } of sums.toSorted((one, other) => other[by] - one[by]).slice(0, 10)) {
    console.log(`${seconds(milliseconds).padStart(9)} ${seconds(processor).padStart(9)}  ${name}`);
  }
}

const [, , first, ...rest] = process.argv;
const script: Script = first === "processes" ? "test:processes" : "test";
/** What is mocha's. */
const given = script === "test" ? process.argv.slice(2) : rest;
const DESCRIPTIONS = {
  test: "Runs every test but those of test:processes, test:stack and test:release, several files at once.",
  "test:processes": "Runs the tests of programs as they are started, each in processes of its own.",
} as const;
// A mistake is told once, and not by each share.
commandLine(script, DESCRIPTIONS[script])
  .option("-g, --grep <pattern>", "only tests whose titles match")
  .option("-f, --fgrep <text>", "only tests whose titles have the text")
  .option("-i, --invert", "only tests that do not match")
  .option("-b, --bail", "no test of a share after its first failure")
  .parse(given, { from: "user" });
const started = performance.now();
compileOnce("tezos-signer-tests");
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const end of running) end(signal);
    process.kill(process.pid, signal);
  });
}
const queue = [...shares(script)];
const ended: Ended[] = [];
const worker = async () => {
  for (let share = queue.shift(); share !== undefined; share = queue.shift()) ended.push(await run(share));
};
await Promise.all(Array.from({ length: 2 * availableParallelism() }, worker));

const times = ended.flatMap((share) => share.times);
most("Slowest tests (and their processor time):", "milliseconds", times, ({ file, title }) => `${file}: ${title}`);
most("Slowest files:", "milliseconds", times, ({ file }) => file);
most("Files that took most processor time (the second column):", "processor", times, ({ file }) => file);
const sum = (what: "passed" | "failed" | "skipped") => ended.reduce((total, share) => total + share[what], 0);
const skipped = sum("skipped");
console.log(
  `\nAll of it took ${seconds(performance.now() - started)}, and ${seconds(processorTime())} of the processor.`,
);
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = sum("failed") > 0 ? 1 : 0;
