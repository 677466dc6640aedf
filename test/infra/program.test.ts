import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { readStackFile } from "../../infra/plan/stack-file.ts";
import { runProgram } from "../emulators/azure-resource-manager/monitor.ts";

const root = resolve(import.meta.dirname, "../..");
const config = readStackFile(readFileSync(join(root, "Pulumi.dev.yaml"), "utf8"), "tezos-signer");

/** What it registers is a matter of `npm run test:stack`: engine/program.test.ts. */
describe("the program as Pulumi's language runtime starts it", function () {
  this.timeout(60_000);

  it("reports every mistake of the configuration without a stack trace, and registers nothing", async () => {
    const wrong = { ...config, bakerIp: "10.0.0.4", vmSize: "B1s", bakerip: "203.0.113.7" };
    const { code, errors, resources } = await runProgram(root, wrong, { dryRun: true, outputs: {} });
    expect(code).to.equal(32);
    expect(resources).to.deep.equal([]);
    expect(errors)
      .to.include("3 mistakes")
      .and.to.include("did you mean bakerIp?")
      .and.not.to.match(/\n\s+at /);
  });

  it("says in one sentence which Node.js it needs", () => {
    const older =
      'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})';
    const { status, stderr } = spawnSync(process.execPath, ["--import", older, "infra/index.js"], {
      cwd: root,
      encoding: "utf8",
    });
    expect(status).to.equal(1);
    expect(stderr).to.match(/^tezos-signer needs Node.js 24 or newer and this is 20.20.2: [^\n]+\n$/);
  });
});
