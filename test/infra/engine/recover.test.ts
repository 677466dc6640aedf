import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { carryOut, examine, told } from "../../../infra/recovery/recover.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder } from "../../emulators/azure-resource-manager/engine.ts";
import { requires } from "../../harness/requires.ts";
import { cutOff, recover } from "../recovered.ts";
import { kept, MACHINE, NO_CLI, program, released, requests, told as settings, THROW_AWAY } from "../stack.ts";
import { story } from "../story.ts";

const PAGE = readFileSync(resolve(import.meta.dirname, "../../../docs/change.md"), "utf8");

describe("a production stack whose commands are cut off, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  let content = "first";
  const signer = story({ name: "mainnet", program: () => program({ content })() });
  const { cloud } = signer;

  it("an upgrade that ends after Azure made the new machine stops every later up, by Pulumi's own means for good", async () => {
    await signer.stack.configure({ image: "Canonical:ubuntu-26_04-lts:server:latest" });
    await cutOff(cloud, { when: "after", method: "create", name: "machine" }, () => signer.stack.up());
    expect((await signer.stack.up()).messages)
      .to.include("currently locked")
      .and.to.include("pulumi cancel");
    await signer.stack.stack.cancel();
    for (let tries = 0; tries < 2; tries += 1) {
      expect((await signer.stack.up()).messages).to.match(
        /cannot create already existing resource '[^']+virtualMachines\/signer'/,
      );
    }
  });

  it("recovers, as docs/change.md shows it: the machine that Azure made is the stack's, and nothing is made or deleted", async () => {
    const before = { ...kept(cloud), machine: signer.machines };
    const lines = await recover(signer.stack);
    expect(lines).to.deep.equal(["  machine was being made, and Azure has it: Pulumi is told of it"]);
    expect(PAGE).to.include(lines[0]);
    expect(requests(cloud).filter((request) => !request.startsWith("read "))).to.deep.equal([]);
    const { operations, failed, messages } = await signer.stack.up();
    expect(failed, messages).to.equal(false);
    // It was to be replaced with its machine, and had not been asked yet.
    expect(operations.filter((operation) => !operation.endsWith(" await-ready"))).to.deep.equal([]);
    expect({ ...kept(cloud), machine: signer.machines }).to.deep.equal(before);
    await signer.stack.configure({ bakerIp: "84.20.17.6" });
    expect((await signer.stack.up()).operations).to.deep.equal(["update firewall"]);
  });

  it("is not told that all is well by the configuration of before, where the old machine is gone already", async () => {
    await signer.stack.configure({ image: null });
    await cutOff(cloud, { when: "after", method: "delete", name: "machine" }, () => signer.stack.up());
    await signer.stack.configure({ image: "Canonical:ubuntu-26_04-lts:server:latest" });
    expect(signer.machines).to.deep.equal([]);
    expect(await recover(signer.stack)).to.deep.equal([
      "  machine was being deleted, and is gone: Pulumi is told, with all that stood in it",
    ]);
    expect((await signer.stack.up()).operations).to.deep.equal(["create machine", "create await-ready"]);
    expect(signer.machines).to.have.length(1);
  });

  it("is not told that all is well by the policy of before, where Azure has taken the new one already", async () => {
    await signer.stack.configure({ policy: '{"default":{"allow":["block"]}}' });
    await cutOff(cloud, { when: "after", method: "update", name: "machine" }, () => signer.stack.up());
    await signer.stack.configure({ policy: null });
    const before = settings(cloud).settings.policy;
    expect(await recover(signer.stack)).to.deep.equal([
      "  machine was being changed: the next `npm run up` sends it again, whatever it is to be",
    ]);
    expect((await signer.stack.up()).operations).to.deep.equal(["update machine"]);
    expect(settings(cloud).settings.policy).not.to.deep.equal(before);
    expect((await signer.stack.preview()).operations).to.deep.equal([]);
  });

  it("makes what was never made, and takes in a release whose upload was answered to nobody", async () => {
    content = "second";
    await cutOff(cloud, { when: "before", method: "update", name: "machine" }, () => signer.stack.up());
    await recover(signer.stack);
    await signer.done();
    content = "third";
    const name = released("third");
    await cutOff(cloud, { when: "after", method: "create", name }, () => signer.stack.up());
    expect(await recover(signer.stack)).to.deep.equal([
      `  ${name} was being made, and Azure has it: Pulumi is told of it`,
    ]);
    await signer.done();
  });

  it("leaves a machine alone that is another's, and says whose", async () => {
    await signer.stack.configure({ vmSize: "Standard_B2ats_v2" });
    await cutOff(cloud, { when: "after", method: "create", name: "machine" }, () => signer.stack.up());
    const [machine] = cloud.ofType(MACHINE);
    if (machine === undefined) throw new Error("there is no machine");
    const tags = { project: "tezos-signer", stack: "other" };
    cloud.hold({ ...machine, inputs: { ...machine.inputs, tags }, outputs: { ...machine.outputs, tags } });
    const recovery = await examine(signer.stack.surroundings);
    expect(told(recovery)).to.deep.equal([
      '  machine was being made, and what Azure has there is left alone: its tag stack is "other" and not "mainnet"',
    ]);
    cloud.hold(machine);
  });

  it("is not overwritten where somebody else has changed it meanwhile, or is at it", async () => {
    const early = await examine(signer.stack.surroundings);
    await recover(signer.stack);
    await signer.done();
    let said = await carryOut(early, signer.stack.surroundings, new Date()).catch(({ message }) => message);
    expect(said).to.include("the state has changed meanwhile");
    // A lock of another computer, as Pulumi writes it.
    await cutOff(cloud, { when: "before", method: "update", name: "firewall" }, async () => {
      await signer.stack.configure({ bakerIp: "84.20.17.7" });
      return signer.stack.up();
    });
    signer.engine.lockElsewhere();
    said = await recover(signer.stack).catch(({ message }) => message);
    expect(said).to.match(/somebody has locked the stack \(\S+@another-computer, process \d+, since .+\)/);
    expect(said).to.include("If you are sure that nothing runs there any more: `pulumi cancel`");
    await signer.stack.stack.cancel();
    await recover(signer.stack);
    await signer.done();
  });
});

describe("a command that only reads", function () {
  this.timeout(300_000);
  const signer = story({ name: "dev" });

  it("leaves its lock where it is cut off, and the stack can be changed after a recovery", async () => {
    signer.cloud.kills.at({ when: "before", method: "read", name: "machine" });
    expect(await signer.stack.refresh().catch(() => "ended")).to.equal("ended");
    await signer.stack.configure({ bakerIp: "203.0.113.8" });
    expect(await signer.fails("up")).to.include("currently locked");
    expect(await recover(signer.stack)).to.deep.equal([]);
    expect((await signer.stack.up()).operations).to.deep.equal(["update firewall"]);
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
