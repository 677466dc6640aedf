import { expect } from "chai";
import { REPLACE_ANYWAY } from "../../../infra/capacity/before-replacing.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../../emulators/azure-resource-manager/engine.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { SSH_KEY } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { MACHINE, MACHINE_REPLACED, NO_CLI, program, requests, THROW_AWAY } from "../stack.ts";

const OTHER_IMAGE = "Canonical:ubuntu-26_04-lts:server:latest";
const PROTECTED = /unable to replace resource .*::machine".*marked for protection/s;

describe("a production machine that somebody would have replaced by Pulumi's own commands, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  const cloud = new Cloud();
  let engine: Engine | undefined;
  let stack: TestStack;
  let urn = "";

  const machines = () => cloud.ofType(MACHINE).map(({ outputs }) => text(outputs, "vmId"));

  before(async () => {
    const folder = pulumiFolder();
    if (folder === undefined) return;
    engine = await Engine.start(cloud, folder);
    stack = await engine.stack("mainnet", program());
    await stack.configure({
      ...THROW_AWAY,
      ...{ bakerIp: "84.20.17.5", sshPublicKey: SSH_KEY, production: "true", authorizedKeys: "none" },
    });
    const { failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    const { resources } = (await stack.stack.exportStack()).deployment as { resources: { urn: string }[] };
    urn = resources.find((one) => one.urn.endsWith("::machine"))?.urn ?? "";
  });

  beforeEach(function () {
    requires(this, engine !== undefined, NO_CLI);
    cloud.calls.length = 0;
  });

  after(() => {
    delete process.env[REPLACE_ANYWAY];
    engine?.close();
  });

  /** Pulumi refuses, and the machine runs on. */
  async function isProtected(): Promise<void> {
    const before = machines();
    const { failed, messages } = await stack.up([urn]);
    expect(failed).to.equal(true);
    expect(messages).to.match(PROTECTED);
    expect(machines()).to.deep.equal(before);
    expect(requests(cloud)).to.deep.equal([]);
  }

  it("stays under pulumi up --replace, of which the program is told nothing, and under pulumi state taint", async () => {
    await isProtected();
    stack.taint(urn);
    expect((await stack.preview()).messages).to.match(PROTECTED);
    const { failed, messages } = await stack.up();
    expect(failed).to.equal(true);
    expect(messages).to.match(PROTECTED);
    expect(requests(cloud)).to.deep.equal([]);
    stack.untaint();
  });

  it("is replaced for another image, of which the program asks Azure, and is protected again after the next up", async () => {
    await stack.configure({ image: OTHER_IMAGE });
    const { operations, failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    expect(operations).to.have.members(MACHINE_REPLACED);
    expect((await stack.up()).operations).to.deep.equal([]);
    cloud.calls.length = 0;
    await isProtected();
  });

  it("that Azure then did not make is made again, also where the configuration has gone back to the one before", async () => {
    cloud.offer.failures.set("Standard_B2ats_v2", "AllocationFailed");
    await stack.configure({ vmSize: "Standard_B2ats_v2" });
    const { messages } = await stack.up();
    expect(messages).to.include("AllocationFailed");
    expect(machines()).to.deep.equal([]);
    await stack.configure({ vmSize: null });
    const again = await stack.up();
    expect(again.failed, again.messages).to.equal(false);
    expect(machines()).to.have.length(1);
    expect((await stack.up()).operations).to.deep.equal([]);
  });

  it("is replaced by pulumi up --replace where the operator says so for once", async () => {
    process.env[REPLACE_ANYWAY] = "yes";
    const { operations, failed, messages } = await stack.up([urn]);
    delete process.env[REPLACE_ANYWAY];
    expect(failed, messages).to.equal(false);
    expect(operations).to.have.members(MACHINE_REPLACED);
  });
});
