import { join } from "node:path";
import { expect } from "chai";
import { keptByNpm, readCommandLine } from "../../infra/command-line.ts";
import { finished, ROOT } from "../harness/command-place.ts";

const OPTIONS = { stack: { type: "string" }, json: { type: "boolean", default: false } } as const;

describe("the command lines of this project's commands", function () {
  this.timeout(60_000);

  it("name the stack before a --, and nothing is done: npm keeps it, and the selected one would be taken for it", () => {
    // `npm run verify --stack=x`, and `npm run verify --stack x`.
    for (const kept of ["x", "true"]) {
      expect(readCommandLine([], OPTIONS, "npm run verify -- [--stack NAME]", { npm_config_stack: kept })).to.equal(2);
    }
    expect(keptByNpm(["stack"], { npm_config_stack: "x" })).to.match(/^npm has kept --stack for itself, and nothing/);
  });

  it("are heeded after a --, whatever npm has of the same name, and where npm has an empty one of its own", () => {
    const env = { npm_config_stack: "x", npm_config_yes: "", npm_config_json: "" };
    expect(readCommandLine(["--stack", "y"], OPTIONS, "", env)).to.deep.include({ stack: "y", json: false });
    expect(keptByNpm(["yes", "json"], env)).to.equal(undefined);
  });

  for (const command of ["up", "preview", "destroy"]) {
    it(`npm run ${command} asks neither Azure nor Pulumi where npm has kept the stack's name`, async () => {
      const env = { PATH: "/nowhere", npm_config_stack: "mainnet" };
      const ended = await finished([process.execPath, join(ROOT, `infra/${command}.ts`)], ROOT, { env });
      expect(ended).to.deep.equal({
        code: 1,
        out: "",
        errors: `${command}: npm has kept --stack for itself, and nothing was done. Options of the command come after a --: npm run ${command} [-- ARGUMENTS]\n`,
      });
    });
  }
});
