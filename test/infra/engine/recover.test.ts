import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { carryOut, examine, told } from "../../../infra/recovery/recover.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../../emulators/azure-resource-manager/engine.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { SSH_KEY } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { cutOff, recover } from "../recovered.ts";
import { kept, MACHINE, NO_CLI, program, released, requests, told as settings, THROW_AWAY } from "../stack.ts";

const PAGE = readFileSync(resolve(import.meta.dirname, "../../../docs/change.md"), "utf8");

describe("a production stack whose commands are cut off, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  const cloud = new Cloud();
  let engine: Engine | undefined;
  let stack: TestStack;
  let content = "first";

  const machineIds = () => cloud.ofType(MACHINE).map(({ outputs }) => text(outputs, "vmId"));
  const done = async () => {
    const { failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    const after = await stack.preview();
    expect(after.operations, after.messages).to.deep.equal([]);
  };

  before(async () => {
    const folder = pulumiFolder();
    if (folder === undefined) return;
    engine = await Engine.start(cloud, folder);
    stack = await engine.stack("mainnet", () => program({ content })());
    await stack.configure({
      ...THROW_AWAY,
      ...{ bakerIp: "84.20.17.5", sshPublicKey: SSH_KEY, production: "true", authorizedKeys: "none" },
    });
    expect((await stack.up()).failed).to.equal(false);
  });

  beforeEach(function () {
    requires(this, engine !== undefined, NO_CLI);
    cloud.calls.length = 0;
  });

  after(() => engine?.close());

  it("an upgrade that ends after Azure made the new machine stops every later up, by Pulumi's own means for good", async () => {
    await stack.configure({ image: "Canonical:ubuntu-26_04-lts:server:latest" });
    await cutOff(cloud, { when: "after", method: "create", name: "machine" }, () => stack.up());
    expect((await stack.up()).messages)
      .to.include("currently locked")
      .and.to.include("pulumi cancel");
    await stack.stack.cancel();
    for (let tries = 0; tries < 2; tries += 1) {
      expect((await stack.up()).messages).to.match(
        /cannot create already existing resource '[^']+virtualMachines\/signer'/,
      );
    }
  });

  it("recovers, as docs/change.md shows it: the machine that Azure made is the stack's, and nothing is made or deleted", async () => {
    const before = { ...kept(cloud), machine: machineIds() };
    const lines = await recover(stack);
    expect(lines).to.deep.equal(["  machine was being made, and Azure has it: Pulumi is told of it"]);
    expect(PAGE).to.include(lines[0]);
    expect(requests(cloud).filter((request) => !request.startsWith("read "))).to.deep.equal([]);
    const { operations, failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    // It was to be replaced with its machine, and had not been asked yet.
    expect(operations.filter((operation) => !operation.endsWith(" await-ready"))).to.deep.equal([]);
    expect({ ...kept(cloud), machine: machineIds() }).to.deep.equal(before);
    await stack.configure({ bakerIp: "84.20.17.6" });
    expect((await stack.up()).operations).to.deep.equal(["update firewall"]);
  });

  it("is not told that all is well by the configuration of before, where the old machine is gone already", async () => {
    await stack.configure({ image: null });
    await cutOff(cloud, { when: "after", method: "delete", name: "machine" }, () => stack.up());
    await stack.configure({ image: "Canonical:ubuntu-26_04-lts:server:latest" });
    expect(machineIds()).to.deep.equal([]);
    expect(await recover(stack)).to.deep.equal([
      "  machine was being deleted, and is gone: Pulumi is told, with all that stood in it",
    ]);
    expect((await stack.up()).operations).to.deep.equal(["create machine", "create await-ready"]);
    expect(machineIds()).to.have.length(1);
  });

  it("is not told that all is well by the policy of before, where Azure has taken the new one already", async () => {
    await stack.configure({ policy: '{"default":{"allow":["block"]}}' });
    await cutOff(cloud, { when: "after", method: "update", name: "machine" }, () => stack.up());
    await stack.configure({ policy: null });
    const before = settings(cloud).settings.policy;
    expect(await recover(stack)).to.deep.equal([
      "  machine was being changed: the next `npm run up` sends it again, whatever it is to be",
    ]);
    expect((await stack.up()).operations).to.deep.equal(["update machine"]);
    expect(settings(cloud).settings.policy).not.to.deep.equal(before);
    expect((await stack.preview()).operations).to.deep.equal([]);
  });

  it("makes what was never made, and takes in a release whose upload was answered to nobody", async () => {
    content = "second";
    await cutOff(cloud, { when: "before", method: "update", name: "machine" }, () => stack.up());
    await recover(stack);
    await done();
    content = "third";
    const name = released("third");
    await cutOff(cloud, { when: "after", method: "create", name }, () => stack.up());
    expect(await recover(stack)).to.deep.equal([`  ${name} was being made, and Azure has it: Pulumi is told of it`]);
    await done();
  });

  it("leaves a machine alone that is another's, and says whose", async () => {
    await stack.configure({ vmSize: "Standard_B2ats_v2" });
    await cutOff(cloud, { when: "after", method: "create", name: "machine" }, () => stack.up());
    const [machine] = cloud.ofType(MACHINE);
    if (machine === undefined) throw new Error("there is no machine");
    const tags = { project: "tezos-signer", stack: "other" };
    cloud.hold({ ...machine, inputs: { ...machine.inputs, tags }, outputs: { ...machine.outputs, tags } });
    const recovery = await examine(stack.surroundings);
    expect(told(recovery)).to.deep.equal([
      '  machine was being made, and what Azure has there is left alone: its tag stack is "other" and not "mainnet"',
    ]);
    cloud.hold(machine);
  });

  it("is not overwritten where somebody else has changed it meanwhile, or is at it", async () => {
    const early = await examine(stack.surroundings);
    await recover(stack);
    await done();
    let said = await carryOut(early, stack.surroundings, new Date()).catch(({ message }) => message);
    expect(said).to.include("the state has changed meanwhile");
    // A lock of another computer, as Pulumi writes it.
    await cutOff(cloud, { when: "before", method: "update", name: "firewall" }, async () => {
      await stack.configure({ bakerIp: "84.20.17.7" });
      return stack.up();
    });
    engine?.lockElsewhere();
    said = await recover(stack).catch(({ message }) => message);
    expect(said).to.match(/somebody has locked the stack \(\S+@another-computer, process \d+, since .+\)/);
    expect(said).to.include("If you are sure that nothing runs there any more: `pulumi cancel`");
    await stack.stack.cancel();
    await recover(stack);
    await done();
  });
});

describe("a command that only reads", function () {
  this.timeout(300_000);

  it("leaves its lock where it is cut off, and the stack can be changed after a recovery", async function () {
    const folder = pulumiFolder();
    requires(this, folder !== undefined, NO_CLI);
    const cloud = new Cloud();
    const engine = await Engine.start(cloud, folder ?? "");
    try {
      const stack = await engine.stack("dev", program());
      await stack.configure(THROW_AWAY);
      expect((await stack.up()).failed).to.equal(false);
      cloud.kills.at({ when: "before", method: "read", name: "machine" });
      expect(await stack.refresh().catch(() => "ended")).to.equal("ended");
      await stack.configure({ bakerIp: "203.0.113.8" });
      expect((await stack.up()).messages).to.include("currently locked");
      expect(await recover(stack)).to.deep.equal([]);
      expect((await stack.up()).operations).to.deep.equal(["update firewall"]);
    } finally {
      engine.close();
    }
  });
});

describe("a group whose answer was lost", function () {
  this.timeout(300_000);

  it("is taken in where it is empty, and left alone where a signer stands in it", async function () {
    const folder = pulumiFolder();
    requires(this, folder !== undefined, NO_CLI);
    const cloud = new Cloud();
    const ARM_SUBSCRIPTION_ID = cloud.subscription.split("/").at(-1) ?? "";
    await using open = new AsyncDisposableStack();
    const first = open.adopt(await Engine.start(cloud, folder ?? "", { ARM_SUBSCRIPTION_ID }), async (e) => e.close());
    const stack = await first.stack("dev", program());
    await stack.configure(THROW_AWAY);
    await cutOff(cloud, { when: "after", method: "create", name: "group" }, () => stack.up());
    expect((await recover(stack)).join()).to.include("group was being made, and Azure has it");
    expect((await stack.up()).failed).to.equal(false);

    // The same stack once more from a computer that knows nothing of the first.
    const second = open.adopt(await Engine.start(cloud, folder ?? "", { ARM_SUBSCRIPTION_ID }), async (e) => e.close());
    const twin = await second.stack("dev", program());
    await twin.configure(THROW_AWAY);
    await cutOff(cloud, { when: "before", method: "create", name: "group" }, () => twin.up());
    const held = [...cloud.resources.keys()];
    expect((await recover(twin)).join()).to.include("left alone: a signer stands in that group already");
    expect((await twin.up()).failed).to.equal(true);
    expect([...cloud.resources.keys()]).to.deep.equal(held);
  });
});
