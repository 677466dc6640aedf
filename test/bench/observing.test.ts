import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";

const BENCH = join(import.meta.dirname, "../../bench/observing.ts");

describe("npm run bench:observing", function () {
  this.timeout(60_000);

  it("prints what being watched costs, as a ratio within one run", () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [BENCH, "--signatures", "100"], {
      encoding: "utf8",
    });
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    expect(stdout).to.match(/^100 signatures each, in turns, \d+ of them asked for again; all was looked at \d+ times/);
    expect(stdout)
      .to.match(/^unwatched +p50 +[\d.]+ +p99 +[\d.]+/m)
      .and.match(/^ratio +p50 [\d.]+ +p99 [\d.]+$/m);
  });
});
