import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { InvalidArgumentError } from "commander";
import { numberFrom, wholeNumberFrom } from "./command-line.ts";

const MODULE = JSON.stringify(join(import.meta.dirname, "command-line.ts"));

/** Runs a script with one option, as npm would: it takes what stands before `--` for itself, as variables. */
async function script(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const text = `
    import { commandLine, wholeNumberFrom } from ${MODULE};
    const { rounds } = commandLine("bench", "Measures.").option("--rounds <n>", "how many", wholeNumberFrom(1, 9), 3).parse().opts();
    console.log(rounds);
  `;
  const args = ["--input-type=module", "--eval", text, "--", ...words];
  return promisify(execFile)(process.execPath, args, { env: { PATH: process.env.PATH, ...env } }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

describe("the command line of an npm script", () => {
  it("gives the options that it was given, or their defaults", async () => {
    expect(await script([])).to.deep.equal({ code: 0, stdout: "3\n", stderr: "" });
    expect(await script(["--rounds", "5"])).to.deep.equal({ code: 0, stdout: "5\n", stderr: "" });
  });

  it("ends with 2 and a sentence where a number is none, or out of its bounds", async () => {
    for (const wrong of ["ten", "10", "0", "1.5", "-1", ""]) {
      const { code, stdout, stderr } = await script([`--rounds=${wrong}`]);
      expect([code, stdout], wrong).to.deep.equal([2, ""]);
      expect(stderr).to.include("Give a whole number from 1 to 9.").and.include("(for help: npm run bench -- --help)");
    }
  });

  it("tells of an option that npm has kept for itself", async () => {
    const { stderr } = await script([], { npm_config_rounds: "5" });
    expect(stderr).to.equal(
      "npm has kept --rounds for itself, so it is not heeded. Write: npm run bench -- --rounds\n",
    );
  });

  it("reads numbers between their bounds, and no other text", () => {
    expect([numberFrom(0)("0.25"), numberFrom(1, 2)("2"), wholeNumberFrom(0)("7")]).to.deep.equal([0.25, 2, 7]);
    for (const [read, text] of [
      [numberFrom(1), "0.9"],
      [numberFrom(1, 2), "2.1"],
      [numberFrom(0), "1e3"],
      [wholeNumberFrom(0), "0x10"],
      [wholeNumberFrom(0), "9007199254740993"],
    ] as const) {
      expect(() => read(text), text).to.throw(InvalidArgumentError);
    }
  });
});
