import { join, resolve } from "node:path";
import { expect } from "chai";
import { EXAMPLE_SSH_KEY } from "../../../infra/config/ssh-key.ts";
import { makeRelease } from "../../../release/make.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder } from "../../emulators/azure-resource-manager/engine.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { requires } from "../../harness/requires.ts";
import { BLOB, NO_CLI, VAULT } from "../stack.ts";

const root = resolve(import.meta.dirname, "../../..");

describe("the example of a Pulumi program with a signer in it", function () {
  this.timeout(180_000); // a first release is fetched

  it("runs as written: the signer stands in its group, its subnet and its log, and a second up changes nothing", async function () {
    const folder = pulumiFolder();
    requires(this, folder !== undefined, NO_CLI);
    await makeRelease(root, () => undefined);
    const cloud = new Cloud();
    const engine = await Engine.start(cloud, folder ?? "");
    try {
      const run = engine.project(join(root, "examples/pulumi"), ["Pulumi.yaml", "package.json", "index.ts"]);
      await run("stack", "init", "test");
      await run("config", "set", "bakerIp", "203.0.113.7");
      await run("config", "set", "sshPublicKey", EXAMPLE_SSH_KEY);
      const up = () => run("up", "--yes", "--skip-preview", "--skip-plugin-pre-install");
      const first = await up();
      expect(first.failed, first.output).to.equal(false);
      expect(first.output).to.match(/signerUrl\s*: "http:\/\/20\.50\.100\.\d+:6732"/);

      const [vault] = cloud.ofType(VAULT);
      const [subnet, ...others] = cloud.ofType("azure-native:network:Subnet");
      expect(others).to.deep.equal([]);
      expect(vault?.id).to.include("/resourceGroups/baking-signer/");
      expect(text(vault?.inputs, "properties.networkAcls.virtualNetworkRules.0.id")).to.equal(subnet?.id);
      const [card] = cloud.ofType("azure-native:network:NetworkInterface");
      expect(text(card?.inputs, "networkSecurityGroup.id")).to.match(/\/signer-firewall$/);
      expect(cloud.ofType("azure-native:operationalinsights:Workspace")).to.have.length(1);
      expect(cloud.ofType(BLOB)).to.have.length(1);
      // Names of parts begin with the signer's, so that a program may hold two.
      expect(cloud.calls.map(({ name }) => name)).to.include.members(["shadownet-vault", "shadownet-machine"]);

      cloud.calls.length = 0;
      const second = await up();
      expect(second.failed, second.output).to.equal(false);
      expect(second.output).not.to.match(/\d+ (created|updated|deleted|replaced)/);
      expect(cloud.calls).to.deep.equal([]);
    } finally {
      engine.close();
    }
  });
});
