/**
 * `npm run coverage`: how much of signer/, infra/, machine/ and cloud-init/ the tests of `npm test` and `npm run test:processes` run
 * through, folder by folder. The programs that the tests start are counted as well, unless they are killed.
 * @module
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { commandLine } from "./emulators/command-line.ts";

const FOLDER = resolve("coverage");
const ROOMS = ["signer", "infra", "machine", "cloud-init"];

/** What the figures do not count, and why. */
const LEFT_OUT = [
  "types, which Node.js takes away: a line that has nothing else is no line here",
  "processes that a test kills: they write nothing at their end (`npm run test:kills` and the campaigns are full of them)",
  "what Pulumi's own engine runs, in `npm run test:stack`; what a machine runs, most of machine/ among it, in `npm run test:boot` and `test:token`",
  "signer/tezos-signer.js and infra/index.js, which hand over to TypeScript",
  "files in shell and Python, of cloud-init/, machine/ and infra/verify/: c8 sees JavaScript alone; `npm run test:boot` boots them",
];

/** Of one file, or of a folder's files together. */
interface Counts {
  readonly lines: Part;
  readonly branches: Part;
  readonly functions: Part;
}
interface Part {
  readonly total: number;
  readonly covered: number;
}
const WHAT = ["lines", "branches", "functions"] as const;

commandLine(
  "coverage",
  "Runs npm test and npm run test:processes under c8, and prints what they reached, by folder.",
).parse();

rmSync(FOLDER, { recursive: true, force: true });
const c8 = [
  ...["--temp-directory", `${FOLDER}/raw`, "--reports-dir", FOLDER, "--reporter", "json-summary"],
  ...["--merge-async", "--clean=false", "--all", "--exclude", "**/*.d.ts"],
  ...ROOMS.flatMap((room) => ["--include", `${room}/**/*.ts`, "--src", room]),
];
const tested = ["test/run.ts", "test/run.ts processes"].map((words) => {
  const env = { ...process.env, NODE_V8_COVERAGE: `${FOLDER}/raw` };
  return spawnSync(process.execPath, words.split(" "), { stdio: "inherit", env }).status;
});
console.log(
  `\n${readdirSync(`${FOLDER}/raw`).length} processes told what they ran through: c8 adds it up, which takes minutes`,
);
const reported = spawnSync("c8", ["report", ...c8], { stdio: "inherit" }).status;
if (reported === 0) {
  const { total: _, ...files } = JSON.parse(readFileSync(`${FOLDER}/coverage-summary.json`, "utf8")) as Record<
    string,
    Counts
  >;
  const byFolder = Map.groupBy(Object.entries(files), ([file]) => dirname(relative(process.cwd(), file)));
  console.log(`\n${row("folder", ["files", ...WHAT])}`);
  for (const [folder, found] of [...byFolder].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const counts = found.map(([, counts]) => counts);
    console.log(row(folder, [String(found.length), ...WHAT.map((what) => share(counts.map((each) => each[what])))]));
  }
  const all = Object.values(files);
  console.log(row("all", [String(all.length), ...WHAT.map((what) => share(all.map((each) => each[what])))]));
  console.log(`\nNot counted:\n${LEFT_OUT.map((what) => `- ${what}`).join("\n")}`);
  rmSync(`${FOLDER}/raw`, { recursive: true });
}
process.exitCode = reported === 0 && tested.every((status) => status === 0) ? 0 : 1;

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(32) + cells.map((cell) => cell.padStart(10)).join("");
}

/** The part that was reached, in percent; a dash where there is nothing to reach. */
function share(parts: readonly Part[]): string {
  const [total, covered] = [sum(parts, "total"), sum(parts, "covered")];
  return total === 0 ? "–" : `${((100 * covered) / total).toFixed(1)} %`;
}

function sum(parts: readonly Part[], what: keyof Part): number {
  return parts.reduce((whole, part) => whole + part[what], 0);
}
