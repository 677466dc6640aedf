import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";

const BENCH = join(import.meta.dirname, "../../bench/bench.ts");

function bench(...args: readonly string[]) {
  return spawnSync(process.execPath, [BENCH, ...args], { encoding: "utf8" });
}

describe("npm run bench", function () {
  this.timeout(60_000);

  it("measures a case, and prints what the signer adds to the vault's own time", () => {
    const only = "HSM of 0 ms, connections are kept";
    const { stdout, stderr, status } = bench("--minutes", "0.1", "--repetitions", "1", "--only", only);
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    expect(stdout).to.match(/^\| HSM of 0 ms, connections are kept \| vault or token alone \| [\d.]+ \|/m);
    expect(stdout).to.match(/^\| {2}\| this signer \| [\d.]+ \| -?[\d.]+ \| .* \| 0 of \d+ \| [\d.]+ \|$/m);
  });

  for (const [option, value, what] of [
    ["--minutes", "few", "Give a number from 0.1."],
    ["--repetitions", "0", "Give a whole number from 1."],
  ] as const) {
    it(`names the mistake in ${option} ${value}`, () => {
      const { stderr, status } = bench(option, value);
      expect(stderr).to.equal(
        `error: option '${option} <number>' argument '${value}' is invalid. ${what}\n(for help: npm run bench -- --help)\n`,
      );
      expect(status).to.equal(2);
    });
  }

  it("says which cases there are where none is named as it was told", () => {
    const { stderr, status } = bench("--only", "warp");
    expect(stderr).to.match(/^No case has "warp" in its name\. There are: 6 s between two requests; /);
    expect(status).to.equal(2);
  });

  it("writes no page of a part of the cases", () => {
    const { stderr, status } = bench("--only", "base", "--write");
    expect(stderr).to.equal("--write takes all cases: leave out --only.\n");
    expect(status).to.equal(2);
  });
});
