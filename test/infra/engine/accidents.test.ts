import { expect } from "chai";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../../emulators/azure-resource-manager/engine.ts";
import { platformWrites } from "../../emulators/azure-resource-manager/platform.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { SSH_KEY } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { all, MACHINE, MONITORING, NO_CLI, program, requests, THROW_AWAY } from "../stack.ts";

const SUBSCRIPTION = "5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11";
const OTHER = "99999999-0c6e-4f0e-9a43-cf2c2e6f1a11";
const LOCK = "azure-native:authorization:ManagementLockByScope";
const KEY = '[{"name":"consensus","curve":"P-256","source":"generate"}]';

describe("a stack that stands, under what happens to people", function () {
  this.timeout(600_000);
  const opened: Engine[] = [];

  async function fresh(cloud: Cloud, config: Readonly<Record<string, string>>): Promise<TestStack> {
    const engine = await Engine.start(cloud, pulumiFolder() ?? "");
    opened.push(engine);
    const stack = await engine.stack("dev", program());
    await stack.configure({ ...THROW_AWAY, ...config });
    return stack;
  }

  /** Holds preview and `up` to one refusal, before anything is registered or asked of Azure. */
  async function refuses(stack: TestStack, cloud: Cloud, sentence: string | RegExp): Promise<void> {
    cloud.calls.length = 0;
    for (const command of ["preview", "up"] as const) {
      const { failed, messages, operations } = await stack[command]();
      expect(failed, `${command} goes on with ${operations}`).to.equal(true);
      expect(messages, command).to.match(typeof sentence === "string" ? new RegExp(sentence) : sentence);
      expect(messages, command).not.to.match(/\n\s+at /);
      expect(operations, command).to.deep.equal([]);
    }
    expect(requests(cloud)).to.deep.equal([]);
  }

  beforeEach(function () {
    requires(this, pulumiFolder() !== undefined, NO_CLI);
  });

  afterEach(() => {
    for (const engine of opened.splice(0)) engine.close();
  });

  it("a test one refuses another region, another subscription and another curve of a key, and is as it was", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud, { keys: KEY });
    const { failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    const before = [...cloud.resources.keys()];

    await stack.configure({ location: "westeurope" });
    await refuses(stack, cloud, "location = westeurope: the signer stands in northeurope, .* cannot move");
    await stack.configure({ location: THROW_AWAY.location });

    await stack.configure({ keys: KEY.replace("P-256", "P-256K") });
    await refuses(stack, cloud, "keys: consensus has the curve P-256 and cannot get P-256K");
    await stack.configure({ keys: KEY });

    const { subscription } = cloud;
    cloud.subscription = `/subscriptions/${OTHER}`;
    await stack.configure({ sshPublicKey: SSH_KEY }); // would replace the machine
    await refuses(stack, cloud, `subscription ${OTHER} is selected, .* az account set --subscription ${SUBSCRIPTION}`);
    cloud.subscription = subscription;
    await stack.configure({ sshPublicKey: THROW_AWAY.sshPublicKey });

    expect([...cloud.resources.keys()]).to.deep.equal(before);
    expect((await stack.up()).operations).to.deep.equal([]);
  });

  it("one that a refresh has forgotten, as somebody whom Azure does not show the subscription, is not made once more elsewhere", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud, {});
    expect((await stack.up()).failed).to.equal(false);
    const copy = await stack.stack.exportStack();
    const { subscription } = cloud;
    cloud.unseen.add(subscription);
    cloud.subscription = `/subscriptions/${OTHER}`;
    await stack.refresh();
    await refuses(
      stack,
      cloud,
      "this signer had the vault https://tezos-\\w+\\.vault\\.azure\\.net, and Pulumi does not remember it",
    );

    cloud.subscription = subscription;
    cloud.unseen.clear();
    await stack.stack.importStack(copy);
    expect((await stack.up()).operations).to.deep.equal([]);
  });

  it("one whose first up has failed refuses them as well, and destroy and up make it elsewhere", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud, {});
    cloud.refusedSizes.add("Standard_B1s");
    expect((await stack.up()).failed).to.equal(true);
    await stack.configure({ location: "westeurope", vmSize: "Standard_B2ats_v2" });
    await refuses(stack, cloud, "location = westeurope: the signer stands in northeurope, .* npm run destroy first");
    expect((await stack.destroy()).failed).to.equal(false);
    const { failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    expect(text(cloud.ofType(MACHINE)[0]?.inputs, "location")).to.equal("westeurope");
  });

  it("a production one refuses what its own locks would refuse half-way: no alerts, no production, a key fewer", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud, {
      ...{ production: "true", authorizedKeys: "none", monitoring: "true", alertEmail: "baker@example.org" },
      ...{ bakerIp: "84.20.17.5", sshPublicKey: SSH_KEY, keys: KEY },
    });
    const { failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);

    for (const [change, sentence] of [
      [
        { monitoring: "false", alertEmail: null },
        "monitoring = false: the vault's lock keeps-the-keys keeps its audit log",
      ],
      [{ production: "false" }, "production = false: what it has locked and protected stays so"],
      [{ keys: "[]" }, "keys: consensus is in the vault of this production stack, which keeps it"],
    ] as const) {
      // Beside another change, which would be done before Azure or Pulumi refuse the rest.
      await stack.configure({ bakerIp: "84.20.17.6", ...change });
      await refuses(stack, cloud, sentence);
      await stack.configure({ bakerIp: "84.20.17.5", production: "true", keys: KEY, monitoring: "true" });
    }
    await stack.configure({ alertEmail: "baker@example.org" });

    // docs/change.md, "Alerts off in production". The lock goes on for a while, and meanwhile nothing is taken away.
    const [lock] = cloud.ofType(LOCK);
    cloud.locks.lingering = 1;
    cloud.delete(lock?.type ?? "", "by hand", lock?.id ?? "");
    await stack.configure({ monitoring: "false", alertEmail: null });
    // So does one of somebody else's.
    const theirs = cloud.locks.byHand(cloud, text(lock?.inputs, "scope"), "CanNotDelete");
    expect((await stack.up()).messages)
      .to.include("ScopeLocked")
      .and.to.include("Please remove the lock");
    cloud.delete(lock?.type ?? "", "by hand", theirs);
    const early = await stack.up();
    expect(early.messages).to.include("ScopeLocked");
    const deleted = cloud.calls.filter(({ method, failed }) => method === "delete" && failed === undefined);
    expect(deleted.map(({ name }) => name)).to.deep.equal(["by hand", "by hand"]);
    const off = await stack.up();
    expect(off.failed, off.messages).to.equal(false);
    // What monitoring changes besides was changed by the one that came too early.
    expect(off.operations).to.have.members(all("delete", MONITORING));
    const [, forgotten] = /pulumi state delete --force '([^']+)', then npm run up/.exec(off.messages) ?? [];
    expect(off.messages).to.include("has lost its lock keeps-the-keys");
    stack.forget(forgotten ?? "");
    expect((await stack.up()).operations).to.deep.equal(["create vault-lock"]);
    expect((await stack.preview()).messages).not.to.include("has lost its lock");
  });

  it("a production one whose identity somebody deleted gets another one, and the lock keeps the old one's role; so it is with the account", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud, {
      ...{ production: "true", authorizedKeys: "none", bakerIp: "84.20.17.5", sshPublicKey: SSH_KEY },
    });
    expect((await stack.up()).failed).to.equal(false);
    const [identity] = cloud.ofType("azure-native:managedidentity:UserAssignedIdentity");
    cloud.delete(identity?.type ?? "", "by hand", identity?.id ?? "");
    await stack.refresh();
    expect((await stack.preview()).messages).to.match(/table-role.*protect/s);
    stack.unprotect();
    const { failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    expect((await stack.up()).operations).to.deep.equal([]);

    // Somebody lifts the account's lock and deletes the account: docs/change.md, "Changed by hand in the portal".
    const account = cloud.ofType("azure-native:storage:StorageAccount").find(({ id }) => !id.includes("tzrel"));
    const lock = cloud.ofType(LOCK).find(({ id }) => id.startsWith(account?.id ?? "?"));
    for (const { type, id } of [lock, account].filter((one) => one !== undefined)) cloud.delete(type, "by hand", id);
    const refused = await stack.refresh().catch((error: Error) => error.message);
    expect(refused).to.match(/The lock 'keeps-the-watermarks' could not be found/);
    const warned = (await stack.preview()).messages;
    const [, forgotten = ""] = /pulumi state delete --force '([^']+)', then npm run up/.exec(warned) ?? [];
    expect(warned).to.include("has lost its lock keeps-the-watermarks");
    stack.forget(forgotten);
    await stack.refresh();
    const again = await stack.up();
    expect(again.failed, again.messages).to.equal(false);
    expect(again.operations).to.include.members(all("create", ["account", "watermarks", "table-role", "account-lock"]));
  });

  it("a test one does not lose its alerts and become a production one in one step, where the new lock would refuse", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud, { monitoring: "true", bakerIp: "84.20.17.5", sshPublicKey: SSH_KEY });
    expect((await stack.up()).failed).to.equal(false);
    await stack.configure({ monitoring: "false", production: "true", authorizedKeys: "none" });
    await refuses(
      stack,
      cloud,
      "monitoring = false: the lock that production puts on the vault would keep its audit log",
    );
  });

  it("keeps its machine where the platform writes into it what Azure changes in place", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud, {});
    expect((await stack.up()).failed).to.equal(false);
    const [machine] = cloud.ofType(MACHINE);
    const written = async (values: Readonly<Record<string, unknown>>) => {
      for (const [path, value] of Object.entries(values)) platformWrites(cloud, machine?.id ?? "", path, value);
      await stack.refresh();
      const { operations, failed, messages } = await stack.up();
      expect(failed, messages).to.equal(false);
      return operations;
    };
    expect(
      await written({ "osProfile.linuxConfiguration.patchSettings": { assessmentMode: "AutomaticByPlatform" } }),
    ).to.deep.equal([]);
    expect(
      await written({
        "osProfile.linuxConfiguration.enableVMAgentPlatformUpdates": true,
        "osProfile.allowExtensionOperations": false,
        "osProfile.requireGuestProvisionSignal": true,
        "securityProfile.encryptionAtHost": true,
        "securityProfile.proxyAgentSettings": { enabled: true },
        "hardwareProfile.vmSizeProperties": { vCPUsPerCore: 1 },
      }),
    ).to.deep.equal(["update machine"]);
    expect(cloud.ofType(MACHINE)[0]?.outputs.vmId).to.equal(machine?.outputs.vmId);
  });

  it("is destroyed at the second try where the locks go on for a while, and nothing is lost at the first", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud, {
      ...{ production: "true", authorizedKeys: "none", bakerIp: "84.20.17.5", sshPublicKey: SSH_KEY },
    });
    expect((await stack.up()).failed).to.equal(false);
    stack.unprotect();
    cloud.locks.lingering = 1;
    const first = await stack.destroy();
    expect(first.messages).to.include("ScopeLocked");
    expect(cloud.resources.size).to.be.greaterThan(12);
    cloud.locks.lingering = 0;
    let tries = 1;
    while ((await stack.destroy()).failed) tries += 1;
    expect(tries).to.be.at.most(2);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
  });
});
