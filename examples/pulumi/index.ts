/**
 * A Pulumi program of one's own with a signer in it, in a group, a network and a log that are there for other things too.
 * Node.js 24 runs it as it is. It imports the signer by its path: Node.js strips no types below node_modules.
 * @module
 */
import { Subnet, VirtualNetwork } from "@pulumi/azure-native/network/index.js";
import { Workspace } from "@pulumi/azure-native/operationalinsights/index.js";
import { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import * as pulumi from "@pulumi/pulumi";
import { checkoutRelease } from "../../infra/release/checkout-release.ts";
import { earlierReleases } from "../../infra/release/earlier-releases.ts";
import { signerConfiguration, TezosSigner } from "../../infra/tezos-signer.ts";

export default async function program() {
  const config = new pulumi.Config();
  const location = "northeurope";

  const shared = new ResourceGroup("shared", { resourceGroupName: "baking-shared", location });
  const network = new VirtualNetwork("network", {
    resourceGroupName: shared.name,
    virtualNetworkName: "baking",
    location,
    addressSpace: { addressPrefixes: ["10.1.0.0/16"] },
  });
  const subnet = new Subnet("signer-subnet", {
    resourceGroupName: shared.name,
    virtualNetworkName: network.name,
    subnetName: "signer",
    addressPrefix: "10.1.0.0/28",
    // The signer's vault and table answer this subnet alone, and know it by these.
    serviceEndpoints: [{ service: "Microsoft.KeyVault" }, { service: "Microsoft.Storage" }],
    defaultOutboundAccess: false,
  });
  const log = new Workspace("log", {
    resourceGroupName: shared.name,
    workspaceName: "baking",
    location,
    sku: { name: "PerGB2018" },
    retentionInDays: 30,
  });

  // The signer's parts have fixed names in Azure, so its group holds no second signer.
  const group = new ResourceGroup("group", { resourceGroupName: "baking-signer", location });
  const signer = new TezosSigner("shadownet", {
    // The keys of stacks/Pulumi.STACK.yaml, checked as there: every mistake is named before anything is made.
    settings: signerConfiguration("shadownet", {
      location,
      bakerIp: config.require("bakerIp"),
      sshPublicKey: config.require("sshPublicKey"),
      chains: ["NetXsqzbfFenSTS"],
      keys: [{ name: "baker", curve: "P-256", source: "generate" }],
      monitoring: true,
    }),
    release: await checkoutRelease(),
    earlierReleases: await earlierReleases("shadownet"),
    resourceGroup: group,
    subnetId: subnet.id,
    logWorkspaceId: log.id,
  });

  return { signerUrl: signer.signerUrl, watermarkStoreId: signer.watermarkStoreId };
}
