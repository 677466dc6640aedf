import {
  NetworkInterface,
  NetworkSecurityGroup,
  PublicIPAddress,
  Subnet,
  VirtualNetwork,
} from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { Rule } from "../firewall.ts";
import { inGroup, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";

/** The name in Azure of a signer's own virtual network. */
export const NETWORK_NAME = "signer-network";

export interface NetworkArgs {
  readonly context: StackContext;
  /** All rules of the firewall, in both directions. */
  readonly rules: readonly Rule[];
  /**
   * A subnet that is there already, in the same region, with the service endpoints Microsoft.KeyVault and
   * Microsoft.Storage; absent: a network of its own.
   */
  readonly subnetId?: pulumi.Input<string> | undefined;
}

/**
 * A network for one machine: its subnet, its firewall, and an address that stays when the machine is replaced.
 */
export class Network extends pulumi.ComponentResource {
  readonly subnetId: pulumi.Output<string>;
  readonly interfaceId: pulumi.Output<string>;
  /** Joins the subnet: who joins it too must wait, since Azure lets in one at a time. */
  readonly interface: NetworkInterface;
  readonly publicIp: pulumi.Output<string>;

  constructor(name: string, { context, rules, subnetId }: NetworkArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Network", name, {}, options);
    const { group, location, tags } = context;
    const resourceGroupName = group.name;
    const child = inGroup(this, context);

    const firewall = new NetworkSecurityGroup(
      context.named("firewall"),
      {
        resourceGroupName,
        networkSecurityGroupName: "signer-firewall",
        location,
        // Inline, all of them: one change is one request, with no moment when half the rules hold.
        securityRules: rules.map(securityRule),
        tags,
      },
      child,
    );
    this.subnetId = subnetId === undefined ? this.#ownSubnet(context, firewall) : pulumi.output(subnetId);
    const address = new PublicIPAddress(
      context.named("address"),
      {
        resourceGroupName,
        publicIpAddressName: "signer-address",
        location,
        sku: { name: "Standard" }, // closed unless the firewall opens it; Basic was retired in 2025
        publicIPAllocationMethod: "Static", // known at once, and the same after a restart
        publicIPAddressVersion: "IPv4",
        tags,
      },
      child,
    );
    this.interface = new NetworkInterface(
      context.named("interface"),
      {
        resourceGroupName,
        networkInterfaceName: "signer-interface",
        location,
        // Whoever else is in a subnet that was there has rules of their own: these are for this machine alone.
        ...(subnetId === undefined ? {} : { networkSecurityGroup: { id: firewall.id } }),
        ipConfigurations: [
          {
            name: "signer",
            primary: true,
            privateIPAllocationMethod: "Dynamic",
            subnet: { id: this.subnetId },
            publicIPAddress: { id: address.id },
          },
        ],
        tags,
      },
      child,
    );

    this.interfaceId = this.interface.id;
    // A static address is there as soon as it is created; before that a preview knows none.
    this.publicIp = address.ipAddress.apply((ip) => ip ?? "");
    this.registerOutputs({ subnetId: this.subnetId, interfaceId: this.interfaceId, publicIp: this.publicIp });
  }

  /** A network with one subnet behind the firewall. */
  #ownSubnet(context: StackContext, firewall: NetworkSecurityGroup): pulumi.Output<string> {
    const { location, tags } = context;
    const resourceGroupName = context.group.name;
    const network = new VirtualNetwork(
      context.named("virtual-network"),
      {
        resourceGroupName,
        virtualNetworkName: NETWORK_NAME,
        location,
        addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
        tags,
      },
      inGroup(this, context),
    );
    const subnet = new Subnet(
      context.named("subnet"),
      {
        resourceGroupName,
        virtualNetworkName: network.name,
        subnetName: "signer",
        addressPrefix: "10.0.0.0/28",
        networkSecurityGroup: { id: firewall.id },
        // The vault's and the account's firewalls know the subnet by these.
        serviceEndpoints: [{ service: "Microsoft.KeyVault" }, { service: "Microsoft.Storage" }],
        defaultOutboundAccess: false, // the way out is the public address
      },
      inGroup(this, context),
    );
    return subnet.id;
  }
}

/** A row of the table as ARM takes it: `*` goes into the single prefix, addresses into the list. */
function securityRule({ sourceAddressPrefixes, ...rule }: Rule) {
  const source = sourceAddressPrefixes.includes("*")
    ? { sourceAddressPrefix: "*" }
    : { sourceAddressPrefixes: [...sourceAddressPrefixes] };
  return { ...rule, ...source, sourcePortRange: "*" };
}

/** What the plan shows of the network. */
export const NETWORK_KINDS: Kinds = {
  "azure-native:network:VirtualNetwork": {
    word: "virtual network",
    name: "virtualNetworkName",
    shown: ["addressSpace.addressPrefixes"],
  },
  "azure-native:network:Subnet": {
    word: "subnet",
    name: "subnetName",
    shown: ["addressPrefix", "serviceEndpoints"],
    untagged: true,
  },
  "azure-native:network:NetworkSecurityGroup": { word: "firewall", name: "networkSecurityGroupName" },
  "azure-native:network:PublicIPAddress": {
    word: "public address",
    name: "publicIpAddressName",
    shown: ["sku.name", "publicIPAllocationMethod"],
    chosen: { ipAddress: "<address>" },
  },
  "azure-native:network:NetworkInterface": { word: "network interface", name: "networkInterfaceName" },
};
