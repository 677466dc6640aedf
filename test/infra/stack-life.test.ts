import { expect } from "chai";
import program, { build, readSettings } from "../../infra/index.ts";
import { EXAMPLE_SSH_KEY } from "../../infra/values.ts";
import { Cloud } from "../support/azure/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../support/azure/engine.ts";
import { text } from "../support/azure/properties.ts";
import { requires } from "../support/requires.ts";

const NO_CLI = "no Pulumi CLI on PATH or in the cache; .ci/pulumi-cli builds one";

const THROW_AWAY = { location: "northeurope", bakerIp: "203.0.113.7", sshPublicKey: EXAMPLE_SSH_KEY };

/** What an `up` from nothing makes, besides the components that hold it. */
const RESOURCES = [
  "id",
  "group",
  "identity",
  "virtual-network",
  "firewall",
  "subnet",
  "address",
  "interface",
  "vault",
  "account",
  "watermarks",
  "table-role",
  "machine",
];
const COMPONENTS = ["network", "key-vault", "watermark-table", "signer"];

const VAULT = "azure-native:keyvault:Vault";
const MACHINE = "azure-native:compute:VirtualMachine";

function all(operation: string, names: readonly string[]): string[] {
  return names.map((name) => `${operation} ${name}`);
}

/** What stays when the machine is replaced: by id, so that a replacement would show. */
function kept(cloud: Cloud): Record<string, unknown> {
  const found = [...cloud.resources.values()].filter(({ type }) => type !== MACHINE);
  return Object.fromEntries(found.map(({ id, outputs }) => [id, outputs]));
}

describe("the life of a throw-away stack on Pulumi's engine", function () {
  this.timeout(60_000);
  const cloud = new Cloud();
  let engine: Engine;
  let stack: TestStack;
  let customData = "";
  const base64 = (content: string) => Buffer.from(content).toString("base64");

  before(async function () {
    const folder = pulumiFolder();
    requires(this, folder !== undefined, NO_CLI);
    engine = await Engine.start(cloud, folder ?? "");
    customData = base64("#cloud-config\n# first version\n");
    stack = await engine.stack("dev", async () => build(readSettings(), customData));
    await stack.configure(THROW_AWAY);
  });

  after(() => engine?.close());

  it("previews an up from nothing with every output still unknown, and asks Azure for nothing", async () => {
    const { operations } = await stack.preview();
    expect(operations).to.have.members(all("create", [...RESOURCES, ...COMPONENTS]));
    expect(cloud.calls).to.deep.equal([]);
  });

  it("up from nothing makes everything, once", async () => {
    const { operations, outputs, failed } = await stack.up();
    expect(failed).to.equal(false);
    expect(operations).to.have.members(all("create", [...RESOURCES, ...COMPONENTS]));
    expect(cloud.calls.map(({ method, name }) => `${method} ${name}`)).to.have.members(
      all("create", RESOURCES.slice(1)), // the id is not Azure's
    );
    expect(outputs.signerUrl).to.equal("http://20.50.100.10:6732");
    expect(JSON.stringify(outputs)).not.to.match(/undefined|\[object/);
  });

  it("up again changes nothing", async () => {
    expect((await stack.up()).operations).to.deep.equal([]);
  });

  it("config set bakerIp changes the firewall in place and nothing else", async () => {
    await stack.configure({ bakerIp: "203.0.113.8" });
    expect((await stack.preview()).operations).to.deep.equal(["update firewall"]);
    cloud.calls.length = 0;
    expect((await stack.up()).operations).to.deep.equal(["update firewall"]);
    expect(cloud.calls.map(({ method, name }) => `${method} ${name}`)).to.deep.equal(["update firewall"]);
  });

  it("a changed policy is written into the machine's userData in place", async () => {
    await stack.configure({ confirm: '["transaction"]' });
    expect((await stack.preview()).operations).to.deep.equal(["update machine"]);
    expect((await stack.up()).operations).to.deep.equal(["update machine"]);
    const [machine] = cloud.ofType(MACHINE);
    const settings = JSON.parse(Buffer.from(text(machine?.inputs, "userData"), "base64").toString());
    expect(settings.policy.default.confirm).to.deep.equal(["transaction"]);
  });

  it("another version of the signer replaces the machine and keeps identity, address, vault and table", async () => {
    customData = base64("#cloud-config\n# second version\n");
    const replaced = ["delete-replaced machine", "replace machine", "create-replacement machine"];
    const before = kept(cloud);
    expect((await stack.preview()).operations).to.have.members(replaced);
    cloud.calls.length = 0;
    expect((await stack.up()).operations).to.have.members(replaced);
    expect(cloud.calls.map(({ method, name }) => `${method} ${name}`)).to.deep.equal([
      "delete machine",
      "create machine",
    ]);
    expect(kept(cloud)).to.deep.equal(before);
  });

  it("another image replaces the machine too", async () => {
    await stack.configure({ image: "Canonical:ubuntu-26_04-lts:server:latest" });
    const replaced = ["delete-replaced machine", "replace machine", "create-replacement machine"];
    expect((await stack.up()).operations).to.have.members(replaced);
  });

  it("a key added is made in the HSM, tagged with the watermark store", async () => {
    await stack.configure({ keys: '[{"name":"baker","curve":"P-256","source":"generate"}]' });
    expect((await stack.up()).operations).to.deep.equal(["create baker"]);
    const [key] = cloud.ofType("azure-native:keyvault:Key");
    const [vault] = cloud.ofType(VAULT);
    expect(text(key?.inputs, "properties.kty")).to.equal("EC-HSM");
    expect(`tezos-${text(key?.inputs, "tags.tezos-signer-watermarks")}`).to.equal(text(vault?.outputs, "name"));
  });

  it("a key removed from the configuration stays in the vault", async () => {
    await stack.configure({ keys: "[]" });
    cloud.calls.length = 0;
    expect((await stack.up()).operations).to.deep.equal(["delete baker"]);
    expect(cloud.calls).to.deep.equal([]);
    expect(cloud.ofType("azure-native:keyvault:Key")).to.have.length(1);
  });

  it("an operator gets a pass through the vault's firewall and rights that do not sign, and loses both again", async () => {
    await stack.configure({ operator: '{"objectId":"aaaaaaaa-1111-4222-8333-444444444444","ip":"198.51.100.4"}' });
    expect((await stack.preview()).operations).to.deep.equal(["update vault"]);
    expect((await stack.up()).operations).to.deep.equal(["update vault"]);
    const vault = () => JSON.stringify(cloud.ofType(VAULT)[0]?.inputs);
    expect(vault()).to.include("198.51.100.4/32").and.to.include("aaaaaaaa-1111-4222-8333-444444444444");
    await stack.configure({ operator: null });
    expect((await stack.up()).operations).to.deep.equal(["update vault"]);
    expect(vault()).not.to.include("198.51.100.4").and.not.to.include("aaaaaaaa");
  });

  it("refresh finds Azure as Pulumi remembers it, and a rule opened by hand", async () => {
    expect(Object.keys(await stack.refresh())).to.deep.equal(["same"]);
    const [firewall] = cloud.ofType("azure-native:network:NetworkSecurityGroup");
    const rules = firewall?.inputs.securityRules as { name: string; sourceAddressPrefixes?: string[] }[];
    const opened = rules.map((rule) =>
      rule.name === "baker" ? { ...rule, sourceAddressPrefixes: ["8.8.8.8"] } : rule,
    );
    cloud.update(firewall?.type ?? "", "by hand", firewall?.id ?? "", { ...firewall?.inputs, securityRules: opened });
    expect(await stack.refresh()).to.have.property("update", 1);
    expect((await stack.up()).operations).to.deep.equal(["update firewall"]);
  });

  it("alerts are added and taken away without touching the rest", async () => {
    const alerts = ["log", "audit-events", "people", "no-signature", "vault-errors", "vault-slow"];
    alerts.push("machine-unavailable", "machine-tired", "alerts");
    await stack.configure({ monitoring: "true", alertEmail: "baker@example.org" });
    expect((await stack.up()).operations).to.have.members(all("create", alerts));
    customData = base64("#cloud-config\n# third version\n");
    const replaced = ["delete-replaced machine", "replace machine", "create-replacement machine"];
    expect((await stack.up()).operations).to.have.members(replaced);
    await stack.configure({ monitoring: "false", alertEmail: null });
    expect((await stack.up()).operations).to.have.members(all("delete", alerts));
  });

  it("changed options of vault, account and network never replace them", async () => {
    await stack.configure({ redundancy: "ZRS", tags: '{"owner":"baker"}' });
    const preview = await stack.preview();
    const tagged = ["group", "virtual-network", "firewall", "address", "interface", "vault", "account", "machine"];
    expect(preview.operations).to.include.members(all("update", ["vault", "account"]));
    expect(preview.operations.filter((operation) => !operation.startsWith("update "))).to.deep.equal([]);
    expect((await stack.up()).operations).to.have.members(all("update", tagged));
  });

  it("destroy leaves nothing but the vault's reserved name, by one request", async () => {
    cloud.calls.length = 0;
    const { operations, failed } = await stack.destroy();
    expect(failed).to.equal(false);
    expect(operations).to.have.members(all("delete", [...RESOURCES, ...COMPONENTS]));
    expect(cloud.calls.map(({ method, name }) => `${method} ${name}`)).to.deep.equal(["delete group"]);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
    expect(cloud.softDeleted.size).to.equal(1);
  });

  it("up works again after a destroy, with other names", async () => {
    const { operations, failed } = await stack.up();
    expect(failed).to.equal(false);
    expect(operations).to.have.members(all("create", [...RESOURCES, ...COMPONENTS]));
    expect(cloud.softDeleted.has(text(cloud.ofType(VAULT)[0]?.outputs, "name"))).to.equal(false);
  });
});

describe("the life of a production stack on Pulumi's engine", function () {
  this.timeout(60_000);
  const cloud = new Cloud();
  const config = {
    ...THROW_AWAY,
    bakerIp: "84.20.17.5",
    sshPublicKey: `ssh-ed25519 ${Buffer.concat([Buffer.from("0000000b7373682d6564323535313900000020", "hex"), Buffer.alloc(32, 7)]).toString("base64")}`,
    production: "true",
    monitoring: "true",
    keys: '[{"name":"consensus","curve":"P-256","source":"generate"}]',
  };
  let engine: Engine;
  let stack: TestStack;
  let customData = "IyBvbmUK";

  before(async function () {
    const folder = pulumiFolder();
    requires(this, folder !== undefined, NO_CLI);
    engine = await Engine.start(cloud, folder ?? "");
    stack = await engine.stack("mainnet", async () => build(readSettings(), customData));
    await stack.configure(config);
    expect((await stack.up()).failed).to.equal(false);
  });

  after(() => engine?.close());

  it("refuses to be destroyed, says why, and deletes nothing first", async () => {
    const before = [...cloud.resources.keys()];
    cloud.calls.length = 0;
    const { failed, messages } = await stack.destroy();
    expect(failed).to.equal(true);
    expect(messages).to.match(/ProductionStackIsNotDestroyed.*cannot be deleted\s+because it is protected/s);
    expect(cloud.calls).to.deep.equal([]);
    expect([...cloud.resources.keys()]).to.deep.equal(before);
  });

  it("is upgraded like any other: the machine is replaced and nothing else", async () => {
    customData = "IyB0d28K";
    const replaced = ["delete-replaced machine", "replace machine", "create-replacement machine"];
    const before = kept(cloud);
    const { operations, messages } = await stack.up();
    expect(operations, messages).to.have.members(replaced);
    expect(kept(cloud)).to.deep.equal(before);
  });

  it("keeps a key that was taken out of the configuration, and says so", async () => {
    await stack.configure({ keys: "[]" });
    const { failed, messages } = await stack.up();
    expect(failed).to.equal(true);
    expect(messages).to.match(/consensus.*cannot be deleted\s+because it is protected/s);
    await stack.configure({ keys: config.keys });
  });

  it("takes new tags without a preview that fears for the protected", async () => {
    await stack.configure({ tags: '{"owner":"baker"}' });
    const { failed, messages } = await stack.preview();
    expect(failed, messages).to.equal(false);
  });

  it("is held by Azure's locks even where Pulumi is not asked", () => {
    const group = `${cloud.subscription}/resourceGroups/tezos-signer-mainnet`;
    expect(() => cloud.delete("azure-native:resources:ResourceGroup", "by hand", group)).to.throw(/ScopeLocked/);
  });

  it("is destroyed once it is unprotected", async () => {
    stack.unprotect();
    cloud.calls.length = 0;
    const { failed, messages } = await stack.destroy();
    expect(failed, messages).to.equal(false);
    const calls = cloud.calls.map(({ method, name }) => `${method} ${name}`);
    expect(calls).to.have.members(["delete vault-lock", "delete account-lock", "delete group"]);
    expect(calls.at(-1)).to.equal("delete group");
    expect([...cloud.resources.keys()]).to.deep.equal([]);
  });
});

describe("faults of Azure during an up", function () {
  this.timeout(60_000);
  let engine: Engine | undefined;

  async function fresh(cloud: Cloud): Promise<TestStack> {
    engine = await Engine.start(cloud, pulumiFolder() ?? "");
    const stack = await engine.stack("dev", program);
    await stack.configure(THROW_AWAY);
    return stack;
  }

  beforeEach(function () {
    requires(this, pulumiFolder() !== undefined, NO_CLI);
  });

  afterEach(() => engine?.close());

  it("each resource fails to be made once, and repeated ups converge without making anything twice", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud);
    for (const name of RESOURCES.slice(1)) cloud.faults.set(name, "create");
    let ups = 1;
    while ((await stack.up()).failed) ups += 1;
    expect(ups).to.be.greaterThan(3).and.not.greaterThan(RESOURCES.length);
    const made = cloud.calls
      .filter(({ failed }) => failed === undefined)
      .map(({ method, name }) => `${method} ${name}`);
    expect(made).to.have.members(all("create", RESOURCES.slice(1)));
    expect(cloud.faults.size).to.equal(0);
    expect((await stack.up()).operations).to.deep.equal([]);
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
    for (const key of ["bakerIp", "sshPublicKey", "vmSize"]) expect(messages).to.include(`\n  ${key} = `);
    expect(messages).not.to.match(/\n\s+at /);
    expect(cloud.calls).to.deep.equal([]);
  });
});
