import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";

/**
 * `npm test`: every test file, in two processes at once, since the tests wait more than they compute. What the second one
 * says comes after the first; the last line is the sum. Words after `--` go to mocha.
 */
const files = globSync("test/**/*.test.ts").sort();
const shares = [
  files.filter((file) => file.startsWith("test/signer/")),
  files.filter((file) => !file.startsWith("test/signer/")),
];

/** Runs one share. @returns what it printed, its exit code, and the figures of its last line */
async function run(share: readonly string[], live: boolean) {
  const child = spawn("mocha", [...share, ...process.argv.slice(2)], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text += chunk;
      if (live) process.stdout.write(chunk);
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  const [, passed, failed, skipped] = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(text) ?? [];
  return { text, code, counts: [passed, failed, skipped].map((count) => Number(count ?? 0)) };
}

const [first, second] = await Promise.all(shares.map((share, index) => run(share, index === 0)));
if (first === undefined || second === undefined) throw new Error("a share did not run");
process.stdout.write(second.text);
const sums = first.counts.map((count, index) => count + (second.counts[index] ?? 0));
const [passed = 0, failed = 0, skipped = 0] = sums;
// A share that ended without its line has failed, whatever it counted.
const broken = [first, second].filter(({ code, counts }) => code !== 0 && counts[1] === 0).length;
console.log(`\n${passed} passed, ${failed + broken} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed + broken > 0 || first.code !== 0 || second.code !== 0 ? 1 : 0;
