import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { parseConfig } from "../../infra/config/parse.ts";
import { build } from "../../infra/index.ts";
import { record } from "../../infra/plan/recorder.ts";
import { makeRelease } from "../../release/make.ts";
import { runProgram } from "../emulators/azure-resource-manager/monitor.ts";
import { UNKNOWN } from "../emulators/azure-resource-manager/properties.ts";
import { keysIn } from "../fixtures/stack-configs.ts";
import { KEY } from "../harness/played-machine.ts";

const root = resolve(import.meta.dirname, "../..");
const config = keysIn(readFileSync(join(root, "examples/stack.yaml"), "utf8"));

/** What Azure answers, as far as the program reads it. */
const OUTPUTS = {
  id: { hex: "0123456789abcdef" },
  vault: { name: "tezos-0123456789abcdef" },
  address: { ipAddress: "20.50.100.10" },
  machine: { vmId: "22222222-3333-4444-8555-666666666666" },
  identity: { principalId: "p", clientId: "11111111-2222-4333-8444-555555555555", tenantId: "t" },
};

const ANSWERS = {
  "azure-native:compute:getVirtualMachineRunCommandByVirtualMachine": {
    instanceView: {
      executionState: "Succeeded",
      output: JSON.stringify({ version: "0.2.0", release: "ab".repeat(32), keys: [KEY] }),
    },
  },
};

describe("the program as Pulumi's language runtime starts it on this checkout", function () {
  this.timeout(120_000); // it makes the release where there is none
  it("registers what the plan shows, and gives its outputs", async () => {
    const { code, errors, resources, outputs } = await runProgram(root, config, {
      ...{ dryRun: false, outputs: OUTPUTS, answers: ANSWERS },
    });
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
    expect(outputs.signer).to.deep.include({ inUse: "0.2.0 (abababababab)" });
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
    const wrong = { ...config, bakerIp: "10.0.0.4", vmSize: "B1s", bakerip: "203.0.113.7", "tezos-singer:head": "{}" };
    const others = { "bakery:x": "y", "azure-native:location": "northeurope" };
    const run = await runProgram(root, { ...wrong, ...others }, { dryRun: true, outputs: {} });
    expect(run.code).to.equal(32);
    expect(run.resources).to.deep.equal([]);
    expect(run.errors)
      .to.include("4 mistakes")
      .and.to.include("did you mean bakerIp?")
      .and.to.include("tezos-singer:head: no such key; did you mean tezos-signer:head?")
      .and.to.match(/and 2 warnings\n +sshPublicKey is the example/)
      .and.not.to.match(/\n\s+at /);
    expect(run.warnings).to.include("bakery:x is read by nothing here").and.not.to.include("azure-native");
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
