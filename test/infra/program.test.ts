import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { parseConfig } from "../../infra/config/parse.ts";
import { build } from "../../infra/index.ts";
import { record } from "../../infra/plan/recorder.ts";
import { readStackFile } from "../../infra/plan/stack-file.ts";
import { makeRelease } from "../../release/make.ts";
import { runProgram } from "../emulators/azure-resource-manager/monitor.ts";
import { UNKNOWN } from "../emulators/azure-resource-manager/properties.ts";

const root = resolve(import.meta.dirname, "../..");
const config = readStackFile(readFileSync(join(root, "Pulumi.dev.yaml"), "utf8"), "tezos-signer");

/** What Azure answers, as far as the program reads it. */
const OUTPUTS = {
  id: { hex: "0123456789abcdef" },
  vault: { name: "tezos-0123456789abcdef" },
  address: { ipAddress: "20.50.100.10" },
  identity: { principalId: "p", clientId: "11111111-2222-4333-8444-555555555555", tenantId: "t" },
};

describe("the program as Pulumi's language runtime starts it on this checkout", function () {
  this.timeout(120_000); // it makes the release where there is none
  it("registers what the plan shows, and gives its outputs", async () => {
    const { code, errors, resources, outputs } = await runProgram(root, config, { dryRun: false, outputs: OUTPUTS });
    expect(code, errors).to.equal(0);
    const made = await makeRelease(root, () => {});
    const source = new pulumi.asset.FileAsset(made.file);
    const plan = await record("dev", () => build(parseConfig(config, "dev"), { ...made, source }));
    expect(resources.map(({ name }) => name)).to.have.members(plan.resources.map(({ name }) => name));
    expect(outputs).to.include({
      signerUrl: "http://20.50.100.10:6732",
      vaultUri: "https://tezos-0123456789abcdef.vault.azure.net",
      release: made.sha256,
    });
    expect(JSON.stringify(outputs)).not.to.match(/undefined|\[object/);
  });

  it("previews with Azure's answers unknown: dependants are unknown too, and nothing is made of a missing value", async () => {
    const { code, errors, resources } = await runProgram(root, config, { dryRun: true, outputs: {} });
    expect(code, errors).to.equal(0);
    const vault = resources.find(({ name }) => name === "vault");
    expect(vault?.inputs.vaultName).to.equal(UNKNOWN);
    expect(JSON.stringify(resources)).not.to.match(/"[^"]*undefined/);
  });

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

  it("warns in every run of what wants a second look", async () => {
    const { code, warnings } = await runProgram(root, { ...config, monitoring: "true" }, { dryRun: true, outputs: {} });
    expect(code).to.equal(0);
    expect(warnings).to.include("203.0.113.7 is reserved for documentation").and.to.include("alertEmail is not set");
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
