import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { releaseChange } from "../../../infra/up.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { release, SSH_KEY } from "../../fixtures/stack-configs.ts";
import { made, shown } from "../first-run-page.ts";
import {
  all,
  COMPONENTS,
  kept,
  MACHINE_REPLACED,
  MONITORING,
  program,
  RESOURCES,
  requests,
  THROW_AWAY,
  TOLD_OF_MONITORING,
  told,
  VAULT,
} from "../stack.ts";
import { story } from "../story.ts";

/** As an earlier version of this program might have been: options that say what Azure would choose anyway are missing. */
const withoutNewerOptions: pulumi.ResourceTransform = ({ type, props, opts }) => {
  if (type === VAULT) {
    const { publicNetworkAccess, enabledForDeployment, ...properties } = props.properties;
    return { props: { ...props, properties }, opts };
  }
  if (type === "azure-native:storage:StorageAccount") {
    const { minimumTlsVersion, allowCrossTenantReplication, defaultToOAuthAuthentication, ...fewer } = props;
    return { props: fewer, opts };
  }
  if (type === "azure-native:network:Subnet") {
    const { defaultOutboundAccess, ...fewer } = props;
    return { props: fewer, opts };
  }
  return undefined;
};

describe("the life of a test stack on Pulumi's engine, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  let firstBoot = "first";
  let older = false;
  const base64 = (content: string) => Buffer.from(content).toString("base64");
  const signer = story({
    name: "dev",
    isUnmade: true,
    program: async () => {
      if (older) pulumi.runtime.registerResourceTransform(withoutNewerOptions);
      return program({ customData: base64(`#cloud-config\n# the ${firstBoot} first boot\n`) })();
    },
  });
  const { cloud } = signer;

  it("previews an up from nothing with every output still unknown, and asks Azure for nothing", async () => {
    const { operations } = await signer.stack.preview();
    expect(operations).to.have.members(all("create", [...RESOURCES, ...COMPONENTS]));
    expect(cloud.calls).to.deep.equal([]);
  });

  it("up from nothing makes everything, once", async () => {
    const { operations, outputs, failed } = await signer.stack.up();
    expect(failed).to.equal(false);
    expect(operations).to.have.members(all("create", [...RESOURCES, ...COMPONENTS]));
    const page = shown("npm run up");
    expect(page.split("\n")[0]).to.equal(releaseChange({}, release("first")));
    expect(made(signer.stack.printed)).to.deep.equal(made(page));
    expect(requests(cloud)).to.have.members(
      all("create", RESOURCES.slice(1)), // the id is not Azure's
    );
    expect(outputs.signerUrl).to.equal("http://20.50.100.10:6732");
    expect(JSON.stringify(outputs)).not.to.match(/undefined|\[object/);
  });

  it("up again changes nothing", async () => {
    expect((await signer.stack.up()).operations).to.deep.equal([]);
  });

  it("config set bakerIp changes the firewall in place and nothing else", async () => {
    await signer.stack.configure({ bakerIp: "203.0.113.8" });
    expect((await signer.stack.preview()).operations).to.deep.equal(["update firewall"]);
    cloud.calls.length = 0;
    expect((await signer.stack.up()).operations).to.deep.equal(["update firewall"]);
    expect(requests(cloud)).to.deep.equal(["update firewall"]);
  });

  it("a changed policy is written into the machine's userData in place, and its signer is waited for", async () => {
    await signer.stack.configure({ policy: '{"default":{"allow":["attestation"]}}' });
    expect((await signer.stack.preview()).operations).to.deep.equal(["update machine", "update await-ready"]);
    expect((await signer.stack.up()).operations).to.deep.equal(["update machine", "update await-ready"]);
    expect(told(cloud).settings.policy.default.allow).to.deep.equal(["attestation"]);
  });

  it("another first boot replaces the machine and keeps identity, address, vault, table and release", async () => {
    firstBoot = "second";
    const before = kept(cloud);
    expect((await signer.stack.preview()).operations).to.have.members(MACHINE_REPLACED);
    cloud.calls.length = 0;
    expect((await signer.stack.up()).operations).to.have.members(MACHINE_REPLACED);
    expect(requests(cloud)).to.deep.equal([
      ...["delete await-ready", "delete machine", "create machine", "create await-ready"],
    ]);
    expect(kept(cloud)).to.deep.equal(before);
  });

  it("previews each other change as docs/change.md says", async () => {
    const changes: readonly (readonly [key: string, value: string, operations: readonly string[]])[] = [
      ["adminIp", "198.51.100.4", ["update machine", "update firewall"]],
      ["metricsIp", "198.51.100.4", ["update machine", "update firewall", "update await-ready"]],
      [
        "authorizedKeys",
        '["edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav"]',
        ["update machine", "update await-ready"],
      ],
      ["vmSize", "Standard_B2ats_v2", MACHINE_REPLACED],
      ["redundancy", "ZRS", ["update account"]],
      ["image", "Canonical:ubuntu-26_04-lts:server:latest", MACHINE_REPLACED],
      ["sshPublicKey", SSH_KEY, MACHINE_REPLACED],
    ];
    for (const [key, value, operations] of changes) {
      await signer.stack.configure({ [key]: value });
      expect((await signer.stack.preview()).operations, key).to.have.members(operations);
      await signer.stack.configure({ [key]: THROW_AWAY[key as keyof typeof THROW_AWAY] ?? null });
    }
  });

  it("a key added is made in the HSM, tagged with the watermark store", async () => {
    await signer.stack.configure({ keys: '[{"name":"baker","curve":"P-256","source":"generate"}]' });
    expect((await signer.stack.up()).operations).to.deep.equal(["create baker", "update await-ready"]);
    const [key] = cloud.ofType("azure-native:keyvault:Key");
    const [vault] = cloud.ofType(VAULT);
    expect(text(key?.inputs, "properties.kty")).to.equal("EC-HSM");
    expect(`tezos-${text(key?.inputs, "tags.tezos-signer-watermarks")}`).to.equal(text(vault?.outputs, "name"));
  });

  it("a key that is to have another curve is refused by its name, and stays as it was", async () => {
    await signer.stack.configure({ keys: '[{"name":"baker","curve":"P-256K","source":"generate"}]' });
    const { failed, messages, operations } = await signer.stack.up();
    expect(failed).to.equal(true);
    expect(messages).to.include("keys: baker has the curve P-256 and cannot get P-256K");
    expect(operations).to.deep.equal([]);
    expect(text(cloud.ofType("azure-native:keyvault:Key")[0]?.inputs, "properties.curveName")).to.equal("P-256");
  });

  it("a key removed from the configuration stays in the vault", async () => {
    await signer.stack.configure({ keys: "[]" });
    cloud.calls.length = 0;
    expect((await signer.stack.up()).operations).to.have.members(["delete baker", "update await-ready"]);
    expect(requests(cloud)).to.deep.equal(["update await-ready"]);
    expect(cloud.ofType("azure-native:keyvault:Key")).to.have.length(1);
  });

  it("a key importer gets a pass through the vault's firewall and rights that do not sign, and loses both again", async () => {
    await signer.stack.configure({
      keyImporter: '{"objectId":"aaaaaaaa-1111-4222-8333-444444444444","ip":"198.51.100.4"}',
    });
    expect((await signer.stack.preview()).operations).to.have.members(["update vault", "update await-ready"]);
    expect((await signer.stack.up()).operations).to.deep.equal(["update vault", "update await-ready"]);
    const vault = () => JSON.stringify(cloud.ofType(VAULT)[0]?.inputs);
    expect(vault()).to.include("198.51.100.4/32").and.to.include("aaaaaaaa-1111-4222-8333-444444444444");
    await signer.stack.configure({ keyImporter: null });
    expect((await signer.stack.up()).operations).to.deep.equal(["update vault", "update await-ready"]);
    expect(vault()).not.to.include("198.51.100.4").and.not.to.include("aaaaaaaa");
  });

  it("refresh finds Azure as Pulumi remembers it, and a rule opened by hand", async () => {
    expect(Object.keys(await signer.stack.refresh())).to.deep.equal(["same"]);
    const [firewall] = cloud.ofType("azure-native:network:NetworkSecurityGroup");
    const rules = firewall?.inputs.securityRules as { name: string; sourceAddressPrefixes?: string[] }[];
    const opened = rules.map((rule) =>
      rule.name === "baker" ? { ...rule, sourceAddressPrefixes: ["8.8.8.8"] } : rule,
    );
    cloud.update(firewall?.type ?? "", "by hand", firewall?.id ?? "", { ...firewall?.inputs, securityRules: opened });
    expect(await signer.stack.refresh()).to.have.property("update", 1);
    expect((await signer.stack.up()).operations).to.deep.equal(["update firewall"]);
  });

  it("alerts are added and taken away without touching the rest", async () => {
    await signer.stack.configure({ monitoring: "true", alertEmail: "baker@example.org" });
    expect((await signer.stack.up()).operations).to.have.members([...all("create", MONITORING), ...TOLD_OF_MONITORING]);
    firstBoot = "third";
    expect((await signer.stack.up()).operations).to.have.members(MACHINE_REPLACED);
    await signer.stack.configure({ monitoring: "false", alertEmail: null });
    expect((await signer.stack.up()).operations).to.have.members([...all("delete", MONITORING), ...TOLD_OF_MONITORING]);
  });

  it("changed options of vault, account and network never replace them", async () => {
    await signer.stack.configure({ redundancy: "ZRS", tags: '{"owner":"baker"}' });
    const preview = await signer.stack.preview();
    const tagged = ["group", "virtual-network", "firewall", "address", "interface", "vault", "account", "machine"];
    tagged.push("release-account", "await-ready");
    expect(preview.operations).to.include.members(all("update", ["vault", "account"]));
    expect(preview.operations.filter((operation) => !operation.startsWith("update "))).to.deep.equal([]);
    expect((await signer.stack.up()).operations).to.have.members(all("update", tagged));
  });

  it("a stack made by a version that said less is brought up to date in place", async () => {
    older = true;
    expect((await signer.stack.up()).operations).to.have.members(
      all("update", ["vault", "account", "release-account", "subnet"]),
    );
    older = false;
    expect((await signer.stack.up()).operations).to.have.members(
      all("update", ["vault", "account", "release-account", "subnet"]),
    );
  });

  it("destroy leaves nothing but the vault's reserved name, by one request", async () => {
    cloud.calls.length = 0;
    const { operations, failed } = await signer.stack.destroy();
    expect(failed).to.equal(false);
    expect(operations).to.have.members(all("delete", [...RESOURCES, ...COMPONENTS]));
    expect(requests(cloud)).to.deep.equal(["delete group"]);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
    expect(cloud.softDeleted.size).to.equal(1);
  });

  it("up works again after a destroy, with other names", async () => {
    const { operations, failed } = await signer.stack.up();
    expect(failed).to.equal(false);
    expect(operations).to.have.members(all("create", [...RESOURCES, ...COMPONENTS]));
    expect(cloud.softDeleted.has(text(cloud.ofType(VAULT)[0]?.outputs, "name"))).to.equal(false);
  });
});
