import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { customData } from "../../../cloud-init/custom-data.ts";
import { KINDS } from "../../../infra/components/kinds.ts";
import { build } from "../../../infra/index.ts";
import type { Plan } from "../../../infra/plan/plan.ts";
import { record } from "../../../infra/plan/recorder.ts";
import { at, list, text, texts } from "../../emulators/azure-resource-manager/properties.ts";
import { EVERYTHING, plan, release, SSH_KEY, settings } from "../../fixtures/stack-configs.ts";
import { released } from "../stack.ts";
import { names, resource } from "./planned.ts";

const root = resolve(import.meta.dirname, "../../..");

describe("what the program asks Azure for", () => {
  let least: Plan;
  let everything: Plan;

  before(async () => {
    least = await plan();
    everything = await plan(EVERYTHING);
  });

  describe("the network", () => {
    it("has a subnet of its own resource, behind the firewall, with both endpoints and no default way out", () => {
      const { inputs } = resource(least, "subnet");
      expect(list(inputs, "serviceEndpoints").map(({ service }) => service)).to.deep.equal([
        "Microsoft.KeyVault",
        "Microsoft.Storage",
      ]);
      expect(inputs.defaultOutboundAccess).to.equal(false);
      expect(text(inputs, "networkSecurityGroup.id")).to.match(/firewall$/);
      expect(resource(least, "virtual-network").inputs).not.to.have.property("subnets");
    });

    it("owns a static standard IPv4 address", () => {
      const { inputs, options } = resource(least, "address");
      expect(inputs).to.deep.include({ publicIPAllocationMethod: "Static", publicIPAddressVersion: "IPv4" });
      expect(text(inputs, "sku.name")).to.equal("Standard");
      expect(options.parent).to.equal("network");
    });
  });

  describe("the subnet", () => {
    const subnet = "/subscriptions/<subscription>/network/Subnet/subnet";

    /** Whether a resource waits for another one, or for one that does. */
    function waits(planned: Plan, name: string, other: string): boolean {
      const { dependencies } = resource(planned, name).options;
      return dependencies.includes(other) || dependencies.some((next) => waits(planned, next, other));
    }

    it("is joined by one resource at a time, since Azure refuses whoever comes while it changes", () => {
      for (const planned of [least, everything]) {
        const joining = planned.resources.filter(({ inputs }) => JSON.stringify(inputs).includes(`"${subnet}"`));
        expect(joining.map(({ name }) => name)).to.have.members(["interface", "vault", "account"]);
        for (const [index, one] of joining.entries()) {
          for (const other of joining.slice(index + 1)) {
            const inARow = waits(planned, one.name, other.name) || waits(planned, other.name, one.name);
            expect(inARow, `${one.name} and ${other.name} are made at once`).to.equal(true);
          }
        }
      }
    });
  });

  describe("the vault", () => {
    it("is premium and answers the subnet, the machine's address and the key importer, and nobody else", () => {
      const acls = at(resource(everything, "vault").inputs, "properties.networkAcls");
      expect(acls).to.deep.equal({
        bypass: "None",
        defaultAction: "Deny",
        ipRules: [{ value: "<address>/32" }, { value: "84.20.19.2/32" }],
        virtualNetworkRules: [{ id: "/subscriptions/<subscription>/network/Subnet/subnet" }],
      });
      expect(text(resource(least, "vault").inputs, "properties.sku.name")).to.equal("premium");
    });

    it("lets the machine get, list and sign, and the key importer bring keys in without signing", () => {
      const policies = list(resource(everything, "vault").inputs, "properties.accessPolicies");
      expect(policies.map((policy) => texts(policy, "permissions.keys").join(" "))).to.deep.equal([
        "get list sign",
        "get list create import update",
      ]);
      expect(list(resource(least, "vault").inputs, "properties.accessPolicies")).to.have.length(1);
    });

    it("says what its defaults would say, since they turn in a later API", () => {
      expect(at(resource(least, "vault").inputs, "properties")).to.include({
        enableRbacAuthorization: false,
        enableSoftDelete: true,
        publicNetworkAccess: "Enabled",
      });
    });

    it("is deleted for 7 days as a throw-away, and for 90 with purge protection in production", () => {
      const properties = (planned: Plan) => at(resource(planned, "vault").inputs, "properties");
      expect(properties(least))
        .to.include({ softDeleteRetentionInDays: 7 })
        .and.not.have.property("enablePurgeProtection");
      expect(properties(everything)).to.include({ softDeleteRetentionInDays: 90, enablePurgeProtection: true });
    });

    it("holds keys that are made in the HSM, tagged with the watermark store, and never deleted by Pulumi", () => {
      const { inputs, options } = resource(everything, "manager");
      expect(inputs.tags).to.deep.equal({ "tezos-signer-watermarks": "<random>" });
      expect(at(inputs, "properties")).to.deep.include({ kty: "EC-HSM", curveName: "P-256K" });
      expect(at(inputs, "properties.attributes.exportable")).to.equal(false);
      expect(options).to.include({ retainOnDelete: true, deletedWith: "group", protect: true });
    });
  });

  describe("the watermark table", () => {
    it("has no shared keys, no public reading, no second region, and answers the subnet only", () => {
      const { inputs } = resource(least, "account");
      expect(inputs).to.include({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        minimumTlsVersion: "TLS1_2",
      });
      expect(text(inputs, "sku.name")).to.equal("Standard_LRS");
      expect(text(resource(everything, "account").inputs, "sku.name")).to.equal("Standard_ZRS");
      expect(at(inputs, "networkRuleSet")).to.include({ bypass: "None", defaultAction: "Deny" });
      expect(list(inputs, "networkRuleSet.ipRules")).to.deep.equal([]);
    });

    it("is read and written by the machine's identity, by a role on that account", () => {
      const { inputs } = resource(least, "table-role");
      expect(inputs).to.include({ principalId: "<machine>", principalType: "ServicePrincipal" });
      expect(text(inputs, "scope")).to.match(/account$/);
      expect(text(inputs, "roleDefinitionId")).to.match(
        /^\/subscriptions\/[^/]+\/providers\/.*0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3$/,
      );
    });
  });

  describe("the releases", () => {
    it("have an account of their own, which takes its key from anywhere, as Pulumi needs, and lets nobody in without one", () => {
      const { inputs } = resource(least, "release-account");
      expect(inputs).to.include({
        accountName: "tzrel<random>",
        allowSharedKeyAccess: true,
        allowBlobPublicAccess: false,
      });
      expect(at(inputs, "networkRuleSet.defaultAction")).to.equal("Allow");
      expect(resource(least, "release-container").inputs).to.include({
        containerName: "releases",
        publicAccess: "None",
      });
    });

    it("are read by the machine's identity, by a role on that account", () => {
      const { inputs } = resource(least, "release-role");
      expect(inputs).to.include({ principalId: "<machine>", principalType: "ServicePrincipal" });
      expect(text(inputs, "scope")).to.match(/release-account$/);
      expect(text(inputs, "roleDefinitionId")).to.match(/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1$/);
    });

    it("are one blob each, named by its hash, and neither protected nor locked in production", () => {
      const { inputs, options } = resource(everything, released("first"));
      expect(inputs).to.include({ blobName: release("first").name, type: "Block", contentType: "application/x-tar" });
      expect(inputs.source).to.include({ text: "first" });
      expect(options).to.include({ protect: false, deletedWith: "group" });
    });

    it("that are there already stay as they were uploaded, and the machine's own is named once", async () => {
      const earlier = [release("before").name, release("first").name];
      const planned = await record("dev", () => build(settings(), release("first"), earlier));
      const blobs = planned.resources.filter(({ type }) => type.endsWith(":Blob"));
      expect(blobs.map(({ name }) => name)).to.have.members([released("first"), released("before")]);
      expect(resource(planned, released("before")).inputs).not.to.have.property("source");
      expect(resource(planned, released("before")).options.ignoreChanges).to.deep.equal(["source"]);
    });
  });

  describe("the machine", () => {
    it("is replaced for what Azure cannot change, the old one first", () => {
      const { options } = resource(least, "machine");
      expect(options.deleteBeforeReplace).to.equal(true);
      expect(options.replaceOnChanges).to.have.members([
        "osProfile.computerName",
        "osProfile.adminUsername",
        "osProfile.customData",
        "osProfile.linuxConfiguration.disablePasswordAuthentication",
        "osProfile.linuxConfiguration.provisionVMAgent",
        "osProfile.linuxConfiguration.ssh",
        "storageProfile.imageReference",
        "securityProfile.securityType",
        "securityProfile.uefiSettings",
        "hardwareProfile.vmSize",
        "zones",
      ]);
    });

    it("lets go of its network interface when it is deleted: the machine that comes after it takes it over", () => {
      expect(at(resource(least, "machine").inputs, "networkProfile.networkInterfaces")).to.deep.equal([
        {
          id: "/subscriptions/<subscription>/network/NetworkInterface/interface",
          primary: true,
          deleteOption: "Detach",
        },
      ]);
    });

    it("is told of a release only once that is there", () => {
      expect(resource(least, "machine").options.dependencies).to.include(released("first"));
    });

    it("boots trusted, takes its disk with it, and lets nobody in by password, and the operator by run-command", () => {
      const { inputs } = resource(least, "machine");
      expect(at(inputs, "securityProfile")).to.deep.equal({
        securityType: "TrustedLaunch",
        uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
      });
      expect(at(inputs, "diagnosticsProfile.bootDiagnostics.enabled")).to.equal(true);
      expect(text(inputs, "storageProfile.osDisk.deleteOption")).to.equal("Delete");
      expect(at(inputs, "osProfile.linuxConfiguration.disablePasswordAuthentication")).to.equal(true);
      expect(at(inputs, "osProfile.allowExtensionOperations")).to.equal(true);
      expect(text(inputs, "osProfile.linuxConfiguration.ssh.publicKeys.0.keyData")).to.equal(SSH_KEY);
    });

    it("begins with the bootstrap, in base64 and the same for every stack, unless it is told another", async () => {
      const stacks = [settings(), settings({ bakerIp: "84.20.17.6", production: "true", authorizedKeys: "none" })];
      for (const stack of stacks) {
        const planned = await record("dev", () => build(stack, release("first")));
        const { inputs } = resource(planned, "machine");
        expect(Buffer.from(text(inputs, "osProfile.customData"), "base64").toString()).to.equal(customData());
      }
    });

    it("acts under the stack's identity, which outlives it", () => {
      expect(at(resource(least, "machine").inputs, "identity.type")).to.equal("UserAssigned");
      expect(resource(least, "identity").options.parent).to.match(/^tezos-signer-/);
    });

    it("has what changes in ordinary use in userData, and nothing of it in customData", async () => {
      const moved = await plan({ bakerIp: "84.20.17.6", policy: '{"default":{"allow":["block"]}}' });
      const [before, after] = [least, moved].map((planned) => resource(planned, "machine").inputs);
      expect(at(after, "osProfile")).to.deep.equal(at(before, "osProfile"));
      expect(after?.userData).not.to.equal(before?.userData);
    });
  });

  describe("a production stack", () => {
    it("protects every resource but the releases, the alerts and the wait, the machine until Azure was asked for another", () => {
      const open = everything.resources.filter(({ options, name }) => !options.protect && name !== "tezos-signer");
      const parents = new Set(
        open.map(({ name, options }) => (options.parent.includes("-dev") ? name : options.parent)),
      );
      expect([...parents]).to.have.members(["releases", "alerts", "figures", "readiness"]);
    });

    it("guards the unprotected, and the machine, by a component that depends on all of them, whatever else the stack has", async () => {
      const guarded = [everything];
      for (const own of [{}, { monitoring: "true" }, { adminIp: "84.20.19.1" }, { keys: EVERYTHING.keys }]) {
        guarded.push(await plan({ production: "true", authorizedKeys: "none", ...own }));
      }
      for (const planned of guarded) {
        const { options } = resource(planned, "destroy-guard");
        const open = planned.resources.filter((r) => !r.options.protect && r.type.startsWith("azure-native:"));
        expect(options.protect).to.equal(true);
        expect(options.dependencies).to.have.members(["machine", ...open.map(({ name }) => name)]);
      }
    });

    it("alone has that guard: a test stack is destroyed in one go, monitored or not", async () => {
      expect(names(least)).not.to.include("destroy-guard");
      expect(names(await plan({ monitoring: "true" }))).not.to.include("destroy-guard");
    });

    it("locks vault and account, and a test stack neither", () => {
      const locks = (planned: Plan) => planned.resources.filter(({ type }) => type.endsWith("ManagementLockByScope"));
      expect(locks(everything).map(({ inputs }) => inputs.level)).to.deep.equal(["CanNotDelete", "CanNotDelete"]);
      expect(locks(least)).to.deep.equal([]);
      expect(least.resources.filter(({ options }) => options.protect)).to.deep.equal([]);
    });
  });

  it("deletes everything with its group, what runs on the machine with that, and the locks first", () => {
    const own = everything.resources
      .filter(({ type, options }) => type.startsWith("azure-native:") && options.deletedWith !== "group")
      .map(({ name }) => name);
    expect(own).to.have.members(["group", "vault-lock", "account-lock", "await-ready"]);
    expect(resource(everything, "await-ready").options.deletedWith).to.equal("machine");
  });

  it("is of kinds that a component describes, and no component describes others", async () => {
    const { resources } = await plan({ instances: "2" });
    const types = new Set(
      [...everything.resources, ...resources].map(({ type }) => type).filter((type) => !/^tezos-signer:/.test(type)),
    );
    expect(Object.keys(KINDS)).to.have.members([...types]);
  });

  it("gives commands that can be typed as they are: one each, those by SSH only where port 22 is open", () => {
    const { statusCommand, logCommand, importCommand } = least.outputs;
    expect(statusCommand).to.match(
      /^az vm run-command invoke --resource-group tezos-signer-dev --name signer .* --scripts 'tezos-signer status 2>&1 \| head -c 4000'$/,
    );
    expect(logCommand).to.match(/ --scripts 'journalctl --unit tezos-signer [^']*'$/);
    expect(importCommand).to.match(/^octez-client import secret key signer \S+\/ADDRESS$/);
    expect(least.outputs).not.to.have.any.keys("sshCommand", "confirmCommand");
    expect(everything.outputs.sshCommand).to.equal("ssh deploy@<address>");
    expect(everything.outputs.confirmCommand).to.equal("ssh -t deploy@<address> sudo tezos-signer confirm");
  });

  it("gives each output that a page or a message asks for", () => {
    const files = globSync(["*.md", "docs/**/*.md", "{signer,infra}/**/*.ts"], { cwd: root });
    const asked = files.flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(/pulumi stack output (?:--\S+ )*(\w+)/g)].map(
        ([, output = ""]) => `${file}: ${output}`,
      ),
    );
    expect(asked.length).to.be.greaterThan(25);
    const given = Object.keys(everything.outputs);
    expect(asked.filter((line) => !given.includes(line.split(": ")[1] ?? ""))).to.deep.equal([]);
  });
});
