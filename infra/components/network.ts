import {
  NetworkInterface,
  NetworkSecurityGroup,
  PublicIPAddress,
  Subnet,
  VirtualNetwork,
} from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { Rule } from "../firewall.ts";
import { inside, type Place } from "./context.ts";

export interface NetworkArgs {
  readonly place: Place;
  /** All rules of the firewall, in both directions. */
  readonly rules: readonly Rule[];
}

/**
 * A network for one machine: its subnet, its firewall, and an address that stays when the machine is replaced.
 */
export class Network extends pulumi.ComponentResource {
  readonly subnetId: pulumi.Output<string>;
  readonly interfaceId: pulumi.Output<string>;
  readonly publicIp: pulumi.Output<string>;

  constructor(name: string, { place, rules }: NetworkArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Network", name, {}, options);
    const { group, location, tags } = place;
    const resourceGroupName = group.name;
    const child = inside(this, place);

    const network = new VirtualNetwork(
      "virtual-network",
      {
        resourceGroupName,
        virtualNetworkName: "signer-network",
        location,
        addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
        tags,
      },
      child,
    );
    const firewall = new NetworkSecurityGroup(
      "firewall",
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
    const subnet = new Subnet(
      "subnet",
      {
        resourceGroupName,
        virtualNetworkName: network.name,
        subnetName: "signer",
        addressPrefix: "10.0.0.0/28",
        networkSecurityGroup: { id: firewall.id },
        // The vault's and the account's firewalls know the subnet by these.
        serviceEndpoints: [{ service: "Microsoft.KeyVault" }, { service: "Microsoft.Storage" }],
        defaultOutboundAccess: false, // the way out is the public address below
      },
      child,
    );
    const address = new PublicIPAddress(
      "address",
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
    const networkInterface = new NetworkInterface(
      "interface",
      {
        resourceGroupName,
        networkInterfaceName: "signer-interface",
        location,
        ipConfigurations: [
          {
            name: "signer",
            primary: true,
            privateIPAllocationMethod: "Dynamic",
            subnet: { id: subnet.id },
            publicIPAddress: { id: address.id },
          },
        ],
        tags,
      },
      child,
    );

    this.subnetId = subnet.id;
    this.interfaceId = networkInterface.id;
    // A static address is there as soon as it is created; before that a preview knows none.
    this.publicIp = address.ipAddress.apply((ip) => ip ?? "");
    this.registerOutputs({ subnetId: this.subnetId, interfaceId: this.interfaceId, publicIp: this.publicIp });
  }
}

/** A row of the table as ARM takes it: `*` goes into the single prefix, addresses into the list. */
function securityRule({ sourceAddressPrefixes, ...rule }: Rule) {
  const source = sourceAddressPrefixes.includes("*")
    ? { sourceAddressPrefix: "*" }
    : { sourceAddressPrefixes: [...sourceAddressPrefixes] };
  return { ...rule, ...source, sourcePortRange: "*" };
}
