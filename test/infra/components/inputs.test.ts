import { expect } from "chai";
import type { Plan } from "../../../infra/plan/plan.ts";
import { EVERYTHING, plan, SSH_KEY } from "../../fixtures/stack-configs.ts";
import { resource } from "./planned.ts";

const SUBNET = "/subscriptions/<subscription>/network/Subnet/subnet";

/**
 * Everything that Azure is told of what keeps keys and watermarks and of the way to them, in a stack that uses everything.
 * Left out is what stands in each of them (group, region, tags) and what has tests of its own: the firewall's rules, the
 * vault's access and network rules, userData, customData, the alerts.
 */
const TOLD: Readonly<Record<string, object>> = {
  identity: { resourceName: "signer-identity" },
  "virtual-network": {
    virtualNetworkName: "signer-network",
    addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
    enableDdosProtection: false, // the provider's own
    enableVmProtection: false, // the same
  },
  subnet: {
    subnetName: "signer",
    virtualNetworkName: "signer-network",
    addressPrefix: "10.0.0.0/28",
    defaultOutboundAccess: false,
    networkSecurityGroup: { id: "/subscriptions/<subscription>/network/NetworkSecurityGroup/firewall" },
    privateEndpointNetworkPolicies: "Disabled", // the provider's own
    privateLinkServiceNetworkPolicies: "Enabled", // the same
    serviceEndpoints: [{ service: "Microsoft.KeyVault" }, { service: "Microsoft.Storage" }],
  },
  address: {
    publicIpAddressName: "signer-address",
    publicIPAddressVersion: "IPv4",
    publicIPAllocationMethod: "Static",
    sku: { name: "Standard" },
  },
  // One address inside, one outside, and no firewall of its own in a network of the stack's own.
  interface: {
    networkInterfaceName: "signer-interface",
    ipConfigurations: [
      {
        name: "signer",
        primary: true,
        privateIPAllocationMethod: "Dynamic",
        publicIPAddress: { id: "/subscriptions/<subscription>/network/PublicIPAddress/address" },
        subnet: { id: SUBNET },
      },
    ],
  },
  // No other service of Azure may take anything from it.
  vault: {
    vaultName: "tezos-<random>",
    properties: {
      tenantId: "<tenant>",
      sku: { family: "A", name: "premium" },
      enablePurgeProtection: true,
      enableRbacAuthorization: false,
      enableSoftDelete: true,
      enabledForDeployment: false,
      enabledForDiskEncryption: false,
      enabledForTemplateDeployment: false,
      publicNetworkAccess: "Enabled",
      softDeleteRetentionInDays: 90,
    },
  },
  "vault-lock": {
    scope: "/subscriptions/<subscription>/keyvault/Vault/vault",
    lockName: "keeps-the-keys",
    level: "CanNotDelete",
    notes: "Holds the baker's keys",
  },
  // It signs, verifies, and does nothing else, nowhere else.
  consensus: {
    keyName: "consensus",
    vaultName: "tezos-<random>",
    properties: {
      kty: "EC-HSM",
      curveName: "P-256",
      keyOps: ["sign", "verify"],
      attributes: { enabled: true, exportable: false },
    },
  },
  // Its rows stay in this account: neither a key, nor an older TLS, nor another tenant takes them out.
  account: {
    accountName: "tezos<random>",
    kind: "StorageV2",
    sku: { name: "Standard_ZRS" },
    allowSharedKeyAccess: false,
    allowBlobPublicAccess: false,
    allowCrossTenantReplication: false,
    defaultToOAuthAuthentication: true,
    enableHttpsTrafficOnly: true,
    minimumTlsVersion: "TLS1_2",
    publicNetworkAccess: "Enabled",
    networkRuleSet: {
      bypass: "None",
      defaultAction: "Deny",
      virtualNetworkRules: [{ virtualNetworkResourceId: SUBNET, action: "Allow" }],
      ipRules: [],
    },
  },
  "account-lock": {
    scope: "/subscriptions/<subscription>/storage/StorageAccount/account",
    lockName: "keeps-the-watermarks",
    level: "CanNotDelete",
    notes: "Holds what was signed",
  },
  watermarks: { accountName: "tezos<random>", tableName: "watermarks" },
  "release-account": {
    accountName: "tzrel<random>",
    kind: "StorageV2",
    sku: { name: "Standard_LRS" },
    allowSharedKeyAccess: true,
    allowBlobPublicAccess: false,
    allowCrossTenantReplication: false,
    enableHttpsTrafficOnly: true,
    minimumTlsVersion: "TLS1_2",
    publicNetworkAccess: "Enabled",
    networkRuleSet: { bypass: "AzureServices", defaultAction: "Allow" }, // the first is the provider's own
  },
  machine: {
    vmName: "signer",
    hardwareProfile: { vmSize: "Standard_B1s" },
    identity: {
      type: "UserAssigned",
      userAssignedIdentities: ["/subscriptions/<subscription>/managedidentity/UserAssignedIdentity/identity"],
    },
    networkProfile: {
      networkInterfaces: [
        {
          id: "/subscriptions/<subscription>/network/NetworkInterface/interface",
          primary: true,
          deleteOption: "Detach",
        },
      ],
    },
    osProfile: {
      computerName: "signer",
      adminUsername: "deploy",
      allowExtensionOperations: true,
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        provisionVMAgent: true,
        ssh: { publicKeys: [{ path: "/home/deploy/.ssh/authorized_keys", keyData: SSH_KEY }] },
      },
    },
    storageProfile: {
      imageReference: { publisher: "Canonical", offer: "ubuntu-24_04-lts", sku: "server", version: "latest" },
      osDisk: {
        createOption: "FromImage",
        deleteOption: "Delete",
        caching: "ReadWrite",
        managedDisk: { storageAccountType: "StandardSSD_LRS" },
      },
    },
    securityProfile: {
      securityType: "TrustedLaunch",
      uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
    },
    diagnosticsProfile: { bootDiagnostics: { enabled: true } },
  },
};

/** Where Pulumi does otherwise than usual with a resource, in production; the machine's replacements have a test of their own. */
const LIVES: Readonly<Record<string, object>> = {
  // Changed tags would hide its ids from a preview.
  identity: { ignoreChanges: ["tags"] },
  vault: { ignoreChanges: ["properties.softDeleteRetentionInDays"] },
  consensus: { retainOnDelete: true, replaceOnChanges: ["properties.curveName"] },
  manager: { retainOnDelete: true, replaceOnChanges: ["properties.curveName"] },
  "table-role": { retainOnDelete: true },
  "await-ready": { deleteBeforeReplace: true },
};

/** Removes what stands in every resource, and what has tests of its own. */
function own(inputs: Readonly<Record<string, unknown>>): object {
  const hidden = new Set(["resourceGroupName", "location", "tags", "userData", "customData"]);
  const rules = new Set(["accessPolicies", "networkAcls"]);
  return JSON.parse(JSON.stringify(inputs, (key, value) => (hidden.has(key) || rules.has(key) ? undefined : value)));
}

describe("what Azure is told", () => {
  let everything: Plan;

  before(async () => {
    everything = await plan(EVERYTHING);
  });

  for (const [name, told] of Object.entries(TOLD)) {
    it(`of ${name} is this and no more`, () => {
      expect(own(resource(everything, name).inputs)).to.deep.equal(told);
    });
  }

  it("of all that is in the group is in one group and one region, and the group is the stack's", () => {
    for (const { type, name, inputs } of everything.resources.filter(({ type }) => type.startsWith("azure-native:"))) {
      if ("resourceGroupName" in inputs) expect(inputs.resourceGroupName, name).to.equal("tezos-signer-dev");
      const everywhere = /:(MetricAlert|ActionGroup)$/.test(type);
      if ("location" in inputs && !everywhere) expect(inputs.location, name).to.equal("northeurope");
    }
  });
});

describe("what Pulumi is told", () => {
  it("to leave, to keep or to replace is this, and usual for all others", async () => {
    const { resources } = await plan(EVERYTHING);
    const lives = resources
      .filter(({ name }) => name !== "machine")
      .map(({ name, options: { ignoreChanges, replaceOnChanges, retainOnDelete, deleteBeforeReplace } }) => [
        name,
        {
          ...(ignoreChanges.length > 0 ? { ignoreChanges } : {}),
          ...(replaceOnChanges.length > 0 ? { replaceOnChanges } : {}),
          ...(retainOnDelete ? { retainOnDelete } : {}),
          ...(deleteBeforeReplace ? { deleteBeforeReplace } : {}),
        },
      ]);
    const unusual = lives.filter(([, options]) => Object.keys(options as object).length > 0);
    expect(Object.fromEntries(unusual)).to.deep.equal(LIVES);
  });

  it("of a test stack's role is nothing: no lock keeps it", async () => {
    expect(resource(await plan(), "table-role").options.retainOnDelete).to.equal(false);
  });

  it("of the machine is also to leave what the platform writes of its patches", async () => {
    const { options } = resource(await plan(), "machine");
    expect(options.ignoreChanges).to.deep.equal(["osProfile.linuxConfiguration.patchSettings"]);
  });

  it("of the audit log's setting is to make it after every alert, and so to take it away before them", async () => {
    const { dependencies } = resource(await plan(EVERYTHING), "audit-events").options;
    expect(dependencies).to.include.members([
      ...["no-signature", "vault-errors", "vault-slow", "machine-unavailable", "machine-tired"],
    ]);
  });
});
