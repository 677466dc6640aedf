import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";

const root = resolve(import.meta.dirname, "..");

/** Mocha's list of failures, each of which is a title and the lines after it. */
function list(failures: readonly (readonly string[])[]): string[] {
  const blocks = failures.flatMap(([title, ...lines], index) => [
    ...[`  ${index + 1}) a suite`, `       ${title}:`],
    ...[...lines.map((line) => `     ${line}`), ""],
  ]);
  return ["    1) a title, while it runs", "", `  ${failures.length} failing`, "", ...blocks];
}

const MISSED = ["opens its ports", "AssertionError: expected 1 to equal 2", "    at boot.ts:1:1"];
const NOT_TRIED = ["signs", "Error: Not tried, since this failed before it: opens its ports", "    at boot.ts:2:2"];

describe("what .ci/run says again of its failures", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "failures-"));
  });

  after(() => rmSync(folder, { recursive: true }));

  /** What is said of logs, each of a step and its lines. */
  function said(...logs: readonly (readonly string[])[]): string[] {
    const files = logs.map((lines, index) => {
      const file = join(folder, `${index}.log`);
      writeFileSync(file, `${lines.join("\n")}\n`);
      return file;
    });
    const { stdout, stderr, status } = spawnSync(join(root, ".ci/failures"), files, { encoding: "utf8" });
    expect([stderr, status]).to.deep.equal(["", 0]);
    return stdout.split("\n").slice(0, -1);
  }

  it("is each failure, with the step's name, and nothing of what passed or came after the list", () => {
    const log = ["== npm run test:boot", "  boots", ...list([MISSED]), "1 passed, 1 failed", "Slowest tests:"];
    expect(said(log)).to.deep.equal([
      "== failed: npm run test:boot: 1 failure",
      "  1) a suite",
      "       opens its ports:",
      "     AssertionError: expected 1 to equal 2",
      "         at boot.ts:1:1",
    ]);
  });

  it("only counts those that were not tried after one of them", () => {
    const log = ["== npm run test:boot", ...list([NOT_TRIED, MISSED, ...Array(30).fill(NOT_TRIED)])];
    expect(said(log)).to.have.length(5);
    expect(said(log)[0]).to.equal("== failed: npm run test:boot: 1 failure, and 31 not tried after one of them");
    expect(said(log)[2]).to.include("opens its ports");
  });

  it("is no more than twelve lines of a failure, and of all lists of a step", () => {
    const long = ["is long", ...Array.from({ length: 50 }, (_, line) => `line ${line}`)];
    const lines = said(["== npm test", ...list([long]), "3 passed, 1 failed", ...list([MISSED]), "3 passed, 1 failed"]);
    expect(lines).to.have.length(1 + 12 + 4);
    expect(lines[0]).to.equal("== failed: npm test: 2 failures");
    expect(lines.at(-2)).to.include("expected 1 to equal 2");
  });

  it("has what was skipped, which counts as failed in CI", () => {
    const skipped = ["Skipped, which CI does not allow:", "  a token: SoftHSM2 is not installed"];
    expect(said(["== npm test", ...list([MISSED]), ...skipped, "", "3 passed, 2 failed"]).slice(-2)).to.deep.equal(
      skipped,
    );
  });

  it("is the end of what a step without such a list said", () => {
    const printed = Array.from({ length: 100 }, (_, line) => `line ${line}`);
    expect(said(["== npm run check", ...printed])).to.deep.equal(["== failed: npm run check", ...printed.slice(-40)]);
    expect(said(["== npm run check", "no"])).to.deep.equal(["== failed: npm run check", "no"]);
  });

  it("is 120 lines at most, of which each step has its part", () => {
    const many = ["== npm test", ...list(Array(100).fill(MISSED))];
    const check = ["== npm run check", ...Array.from({ length: 100 }, (_, line) => `line ${line}`)];
    expect(said(many)).to.have.length(120);
    const lines = said(many, check, many, check);
    expect(lines).to.have.length(120);
    expect(lines[119]).to.equal("line 99");
    expect(said()).to.deep.equal([]);
  });
});
