import { expect } from "chai";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../../emulators/azure-resource-manager/engine.ts";
import { requires } from "../../harness/requires.ts";
import { recover } from "../recovered.ts";
import { all, MACHINE, NO_CLI, program, RESOURCES, released, THROW_AWAY } from "../stack.ts";

describe("faults of Azure during an up", function () {
  this.timeout(900_000);
  let engine: Engine | undefined;

  async function fresh(cloud: Cloud, env = {}): Promise<TestStack> {
    engine = await Engine.start(cloud, pulumiFolder() ?? "", env);
    const stack = await engine.stack("dev", program());
    await stack.configure(THROW_AWAY);
    return stack;
  }

  beforeEach(function () {
    requires(this, pulumiFolder() !== undefined, NO_CLI);
  });

  afterEach(() => engine?.close());

  // `npm run test:stack` fails each resource in turn.
  it("five resources fail to be made once, and repeated ups converge without making anything twice", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud);
    for (const name of ["group", "subnet", "vault", released("first"), "machine"]) cloud.faults.set(name, "create");
    let ups = 1;
    while ((await stack.up()).failed) ups += 1;
    expect(ups).to.be.within(3, 6); // subnet, vault and release may fail in one
    const made = cloud.calls.filter(({ failed }) => failed === undefined);
    expect(made.map(({ method, name }) => `${method} ${name}`)).to.have.members(all("create", RESOURCES.slice(1)));
    expect(cloud.faults.size).to.equal(0);
    expect((await stack.preview()).operations).to.deep.equal([]);
  });

  it("what Azure makes although it answers with an error is taken in by npm run recover, and nothing is made twice", async () => {
    const cloud = new Cloud();
    cloud.fault = { status: 504, code: "GatewayTimeout", fate: "done" };
    const stack = await fresh(cloud, { ARM_SUBSCRIPTION_ID: cloud.subscription.split("/").at(-1) ?? "" });
    for (const name of ["group", "vault", "machine"]) {
      cloud.faults.set(name, "create");
      expect((await stack.up()).messages, name)
        .to.include("504")
        .and.to.include("GatewayTimeout");
      expect((await recover(stack)).join(), name).to.include(`${name} was being made, and Azure has it`);
    }
    const { failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    // An upgrade, whose old machine is gone by then.
    await stack.configure({ image: "Canonical:ubuntu-26_04-lts:server:latest" });
    cloud.faults.set("machine", "create");
    expect((await stack.up()).messages).to.include("GatewayTimeout");
    expect((await stack.up()).messages).to.include("cannot create already existing resource");
    expect((await recover(stack)).join()).to.include("machine was being made, and Azure has it");
    expect((await stack.up()).failed).to.equal(false);
    expect((await stack.preview()).operations).to.deep.equal([]);
    expect(cloud.ofType(MACHINE)).to.have.length(1);
  });

  it("a deployer who may not assign roles is told which right is missing", async () => {
    const cloud = new Cloud();
    cloud.deployer.assignsRoles = false;
    const { messages } = await (await fresh(cloud)).up();
    expect(messages).to.include("Microsoft.Authorization/roleAssignments/write");
  });

  it("mistakes in the configuration are all named before anything is made", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud);
    await stack.configure({ bakerIp: "0.0.0.0/0", sshPublicKey: "-----BEGIN OPENSSH PRIVATE KEY-----", vmSize: "b1s" });
    const { failed, messages } = await stack.preview();
    expect(failed).to.equal(true);
    for (const key of ["bakerIp", "sshPublicKey", "vmSize"])
      expect(messages).to.match(new RegExp(`\\n  ${key}(:| =) `));
    expect(messages).not.to.match(/\n\s+at /);
    expect(cloud.calls).to.deep.equal([]);
  });
});
