import { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import { expect } from "chai";
import { signerConfiguration, TezosSigner } from "../../../infra/tezos-signer.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder } from "../../emulators/azure-resource-manager/engine.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { release } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { NO_CLI, THROW_AWAY, VAULT } from "../stack.ts";

describe("a signer in a subnet that a program gives it", function () {
  this.timeout(300_000);

  it("moves to another subnet of the same network in place, and refuses another network before anything is changed", async function () {
    const folder = pulumiFolder();
    requires(this, folder !== undefined, NO_CLI);
    const cloud = new Cloud();
    const site = { resourceGroupName: "site", location: THROW_AWAY.location };
    cloud.create("azure-native:resources:ResourceGroup", "site", site);
    const subnets = ["one", "two"].flatMap((network) => {
      const addressSpace = { addressPrefixes: ["10.9.0.0/16"] };
      cloud.create("azure-native:network:VirtualNetwork", network, {
        ...site,
        virtualNetworkName: network,
        addressSpace,
      });
      return ["a", "b"].map((subnetName, index) => {
        const inputs = { resourceGroupName: "site", virtualNetworkName: network, subnetName };
        const serviceEndpoints = [{ service: "Microsoft.KeyVault" }, { service: "Microsoft.Storage" }];
        const addressPrefix = `10.9.${index}.0/24`;
        return cloud.create("azure-native:network:Subnet", subnetName, { ...inputs, addressPrefix, serviceEndpoints })
          .id;
      });
    });
    let subnetId: string | undefined = subnets[0];
    const engine = await Engine.start(cloud, folder ?? "");
    try {
      const stack = await engine.stack("mine", async () => {
        const resourceGroup = new ResourceGroup("mine", { resourceGroupName: "mine", location: THROW_AWAY.location });
        const settings = signerConfiguration("mine", THROW_AWAY);
        const given = subnetId === undefined ? {} : { subnetId };
        const signer = new TezosSigner("bakery", {
          settings,
          release: release("first"),
          resourceGroup,
          customData: "IyBvbmUK",
          ...given,
        });
        return { url: signer.signerUrl };
      });
      const first = await stack.up();
      expect(first.failed, first.messages).to.equal(false);
      for (const other of [subnets[2], undefined]) {
        subnetId = other;
        cloud.calls.length = 0;
        for (const command of ["preview", "up"] as const) {
          const { failed, messages } = await stack[command]();
          expect(failed, `${command} ${other}`).to.equal(true);
          expect(messages).to.match(/nothing was changed: subnetId: the signer's network interface is in \S+\/one, /);
        }
        expect(cloud.calls).to.deep.equal([]);
      }
      subnetId = subnets[1];
      const { failed, messages, operations } = await stack.up();
      expect(failed, messages).to.equal(false);
      expect(operations).to.have.members(["update bakery-interface", "update bakery-vault", "update bakery-account"]);
      const [vault] = cloud.ofType(VAULT);
      expect(text(vault?.inputs, "properties.networkAcls.virtualNetworkRules.0.id")).to.equal(subnets[1]);
      expect((await stack.preview()).operations).to.deep.equal([]);
    } finally {
      engine.close();
    }
  });
});
