import {
  NetworkInterface,
  NetworkSecurityGroup,
  PublicIPAddress,
  Subnet,
  VirtualNetwork,
} from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { Place } from "../config/pair.ts";
import { PROBER, type Rule } from "../firewall.ts";
import { Balancer } from "./balancer.ts";
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
  /** The machines, the first one first. */
  readonly places: readonly Place[];
  /** Whether the signer's address is a balancer's, and each machine has one of its own beside it. */
  readonly balanced: boolean;
}

/** What one machine has of the network. */
export interface Connection {
  readonly interface: NetworkInterface;
  /** The address by which it goes out, and by which one logs in: the signer's own where no balancer has that. */
  readonly address: pulumi.Output<string>;
}

/**
 * A network for a signer's machines: their subnet, their firewall, and an address that stays when a machine is replaced.
 */
export class Network extends pulumi.ComponentResource {
  readonly subnetId: pulumi.Output<string>;
  /** One for each machine, in their order. */
  readonly connections: readonly Connection[];
  /** The last one that joins the subnet: who joins it too must wait, since Azure lets in one at a time. */
  readonly interface: NetworkInterface;
  readonly balancer: Balancer | undefined;
  readonly publicIp: pulumi.Output<string>;

  constructor(name: string, args: NetworkArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Network", name, {}, options);
    const { context, rules, subnetId } = args;
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
    const own = subnetId === undefined ? this.#ownSubnet(context, firewall) : undefined;
    this.subnetId = own?.subnetId ?? pulumi.output(subnetId ?? "");
    const address = this.#address(context, "address");
    const connect = ({ suffix }: Place, joinsAfter: NetworkInterface | undefined): Connection => {
      const way = args.balanced ? this.#address(context, `outbound${suffix}`) : address;
      const card = new NetworkInterface(
        context.named(`interface${suffix}`),
        {
          resourceGroupName,
          networkInterfaceName: `signer-interface${suffix}`,
          location,
          // Whoever else is in a subnet that was there has rules of their own: these are for this machine alone.
          ...(subnetId === undefined ? {} : { networkSecurityGroup: { id: firewall.id } }),
          ipConfigurations: [
            {
              name: "signer",
              primary: true,
              privateIPAllocationMethod: "Dynamic",
              subnet: { id: this.subnetId },
              publicIPAddress: { id: way.id },
            },
          ],
          tags,
        },
        joinsAfter === undefined ? child : { ...child, dependsOn: [joinsAfter] },
      );
      return { interface: card, address: ipOf(way) };
    };
    // The first one last: it may have the signer's address until then, and the balancer takes that next.
    const connections: Connection[] = [];
    for (const place of args.places.toReversed()) connections.unshift(connect(place, connections[0]?.interface));
    const [first] = connections;
    if (first === undefined) throw new Error("a signer has a machine");

    this.connections = connections;
    this.interface = first.interface;
    this.publicIp = ipOf(address);
    const interfaces = connections.map((connection) => connection.interface);
    const networkId = own?.networkId ?? this.subnetId.apply((id) => id.split("/subnets/")[0] ?? "");
    this.balancer = args.balanced
      ? new Balancer(context.named("balanced"), { context, address, networkId, interfaces }, { parent: this })
      : undefined;
    this.registerOutputs({ subnetId: this.subnetId, interfaceId: first.interface.id, publicIp: this.publicIp });
  }

  #address(context: StackContext, part: string): PublicIPAddress {
    const { location, tags } = context;
    return new PublicIPAddress(
      context.named(part),
      {
        resourceGroupName: context.group.name,
        publicIpAddressName: `signer-${part}`,
        location,
        sku: { name: "Standard" }, // closed unless the firewall opens it; Basic was retired in 2025
        publicIPAllocationMethod: "Static", // known at once, and the same after a restart
        publicIPAddressVersion: "IPv4",
        tags,
      },
      inGroup(this, context),
    );
  }

  /** A network with one subnet behind the firewall. */
  #ownSubnet(context: StackContext, firewall: NetworkSecurityGroup) {
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
    return { subnetId: subnet.id, networkId: network.id };
  }
}

/** A static address is there as soon as it is created; before that a preview knows none. */
function ipOf({ ipAddress }: PublicIPAddress): pulumi.Output<string> {
  return ipAddress.apply((ip) => ip ?? "");
}

/** A row of the table as ARM takes it: `*` or a tag goes into the single prefix, addresses into the list. */
function securityRule({ sourceAddressPrefixes, ...rule }: Rule) {
  const single = sourceAddressPrefixes.find((prefix) => ["*", PROBER].includes(prefix));
  const source =
    single !== undefined ? { sourceAddressPrefix: single } : { sourceAddressPrefixes: [...sourceAddressPrefixes] };
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
  "azure-native:network:NetworkInterface": {
    word: "network interface",
    name: "networkInterfaceName",
    chosen: { ipConfigurations: [{ privateIPAddress: "<private>" }] },
  },
};
