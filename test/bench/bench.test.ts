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

  it("names its options, and the mistake in one", () => {
    expect(bench("--help").stdout).to.include("--rounds 300");
    const { stderr, status } = bench("--rounds", "few");
    expect([stderr, status]).to.deep.equal([
      "--rounds must be a whole number from 10, --delay a number of milliseconds from 0.\n",
      2,
    ]);
  });
});

const ROWS = [
  "the vault itself, connection kept",
  "an attestation, connection kept",
  "an attestation, as octez asks",
  "a block, as octez asks",
  "the same block again",
];
