import { expect } from "chai";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../../emulators/azure-resource-manager/engine.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { SSH_KEY } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { cutOff, recover } from "../recovered.ts";
import { MACHINE, NO_CLI, program, released, requests, THROW_AWAY } from "../stack.ts";

const LOCK = "azure-native:authorization:ManagementLockByScope";

describe("a subscription that is disabled, and a group that somebody locked, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  const cloud = new Cloud();
  let engine: Engine | undefined;
  let stack: TestStack;
  let content = "first";

  const machines = () => cloud.ofType(MACHINE).map(({ outputs }) => text(outputs, "vmId"));
  const done = async () => {
    const { failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    expect((await stack.preview()).operations).to.deep.equal([]);
  };
  const fails = async (command: "up" | "preview" | "destroy") => {
    const { failed, messages } = await stack[command]();
    expect(failed, command).to.equal(true);
    return messages;
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
  });

  beforeEach(function () {
    requires(this, engine !== undefined, NO_CLI);
    cloud.calls.length = 0;
  });

  after(() => engine?.close());

  it("a first up in a disabled subscription makes nothing and says why, and the next one goes on once it is enabled", async () => {
    cloud.state = "Disabled";
    expect(await fails("up")).to.match(/ReadOnlyDisabledSubscription.*until it is re-enabled/);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
    cloud.state = "Enabled";
    await done();
  });

  it("a disabled subscription deletes and makes nothing, so a machine that would be replaced stays", async () => {
    const before = machines();
    cloud.state = "Disabled";
    await stack.configure({ vmSize: "Standard_B2ats_v2" });
    for (const command of ["preview", "up"] as const) {
      const said = await fails(command);
      expect(said).to.include("is Disabled: Azure would delete the old one and make no new one");
      expect(said).to.include('docs/disaster.md, "The subscription"');
      expect(said).not.to.include("vmSize");
    }
    expect(requests(cloud)).to.deep.equal([]);
    expect(machines()).to.deep.equal(before);
  });

  it("another policy ends with Azure's words there, and comes once it is enabled", async () => {
    await stack.configure({ vmSize: null, policy: '{"default":{"allow":["block"]}}' });
    expect(await fails("up")).to.include("ReadOnlyDisabledSubscription");
    cloud.state = "Enabled";
    await done();
  });

  it("a group that is locked for reading alone keeps all as it is, whatever is to be changed, replaced or destroyed", async () => {
    const [group] = cloud.ofType("azure-native:resources:ResourceGroup");
    cloud.create(LOCK, "by hand", { scope: group?.id, lockName: "somebody-s", level: "ReadOnly" });
    const before = [...cloud.resources.keys()];
    const [machine] = machines();
    await stack.configure({ bakerIp: "84.20.17.6", vmSize: "Standard_B2ats_v2" });
    const said = await fails("up");
    expect(said).to.match(/ScopeLocked.*cannot perform (write|delete) operation.*Please remove the lock/);
    expect(said).to.include(String(group?.id));
    expect([...cloud.resources.keys()]).to.deep.equal(before);
    expect(machines()).to.deep.equal([machine]);
    expect(await fails("destroy")).to.include("protected");
    expect([...cloud.resources.keys()]).to.deep.equal(before);
    const [lock] = cloud.ofType(LOCK).filter(({ inputs }) => text(inputs, "level") === "ReadOnly");
    cloud.delete(LOCK, "by hand", lock?.id ?? "");
    await done();
    expect(machines()).not.to.deep.equal([machine]);
  });

  it("what was cut off is recovered under such a lock too, but for a release, which needs the account's key", async () => {
    const [group] = cloud.ofType("azure-native:resources:ResourceGroup");
    await stack.configure({ vmSize: null });
    await cutOff(cloud, { when: "after", method: "create", name: "machine" }, () => stack.up());
    const lock = cloud.create(LOCK, "by hand", { scope: group?.id, lockName: "somebody-s", level: "ReadOnly" });
    expect((await recover(stack)).join()).to.include("machine was being made, and Azure has it");
    cloud.delete(LOCK, "by hand", lock.id);
    content = "second";
    await cutOff(cloud, { when: "after", method: "create", name: released("second") }, () => stack.up());
    cloud.create(LOCK, "by hand", { scope: group?.id, lockName: "somebody-s", level: "ReadOnly" });
    const refused = await recover(stack).catch(({ message }: Error) => [message]);
    expect(refused.join()).to.match(/ScopeLocked.*Please remove the lock/s);
    cloud.delete(LOCK, "by hand", lock.id);
    await recover(stack);
    await done();
  });

  it("a destroy under such a lock takes Pulumi's own locks and nothing else, and the next one takes the rest", async () => {
    const [group] = cloud.ofType("azure-native:resources:ResourceGroup");
    stack.unprotect();
    const lock = cloud.create(LOCK, "by hand", { scope: group?.id, lockName: "somebody-s", level: "ReadOnly" });
    const before = new Set(cloud.resources.keys());
    expect(await fails("destroy")).to.include("ScopeLocked");
    const gone = [...before].filter((id) => !cloud.resources.has(id));
    expect(
      gone.every((id) => id.includes("/microsoft.authorization/locks/")),
      gone.join(),
    ).to.equal(true);
    cloud.delete(LOCK, "by hand", lock.id);
    cloud.state = "Disabled"; // which deletes
    expect((await stack.destroy()).failed).to.equal(false);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
  });
});
