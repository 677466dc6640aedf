import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";

const BENCH = join(import.meta.dirname, "../../bench/bench.ts");

function bench(...args: readonly string[]) {
  return spawnSync(process.execPath, [BENCH, ...args], { encoding: "utf8" });
}

describe("npm run bench", function () {
  this.timeout(60_000);

  it("prints what the signer adds to the vault's own time, for both curves", () => {
    const { stdout, stderr, status } = bench("--rounds", "10", "--delay", "0");
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    const row = /^(.+?) +p50 +[\d.]+ +p95 +[\d.]+ +added +-?[\d.]+ +ratio [\d.]+$/gm;
    expect([...stdout.matchAll(row)].map(([, what]) => what)).to.deep.equal([...ROWS, ...ROWS]);
    expect(stdout.match(/^mean ms by stage: .*sign \d/gm)).to.have.length(2);
  });

  for (const [option, value, what] of [
    ["--rounds", "few", "Give a whole number from 10."],
    ["--rounds", "9", "Give a whole number from 10."],
    ["--delay", "-1", "Give a number from 0."],
  ] as const) {
    it(`names the mistake in ${option} ${value}`, () => {
      const { stderr, status } = bench(option, value);
      expect(stderr).to.equal(
        `error: option '${option} <number>' argument '${value}' is invalid. ${what}\n(for help: npm run bench -- --help)\n`,
      );
      expect(status).to.equal(2);
    });
  }
});

const ROWS = [
  "the vault itself, connection kept",
  "an attestation, connection kept",
  "an attestation, as octez asks",
  "a block, as octez asks",
  "the same block again",
];
