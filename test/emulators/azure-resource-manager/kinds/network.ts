import { badRequest, block } from "../arm.ts";
import { at, list, type Properties, text, texts } from "../properties.ts";
import type { Kind, Resource, Subscription } from "../subscription.ts";
import { addressUser, inUse, must, refuseUsedAddress, same } from "./addresses.ts";
import { inGroup, USUAL_NAME } from "./in-group.ts";
import { LOAD_BALANCER } from "./load-balancer.ts";

const SUBNET = "azure-native:network:Subnet";
const INTERFACE = "azure-native:network:NetworkInterface";

/** Service tags that this stack might name. */
const TAGS = new Set([
  "*",
  "Internet",
  "VirtualNetwork",
  "AzureLoadBalancer",
  "AzureKeyVault",
  "Storage",
  "AzureCloud",
  "AzureMonitor",
]);

const CARD = inGroup("Microsoft.Network/networkInterfaces", ["networkInterfaceName"], USUAL_NAME);

/** Virtual network, subnet, security group, public address, interface, balancer. */
export const NETWORK: Readonly<Record<string, Kind>> = {
  ...LOAD_BALANCER,
  "azure-native:network:VirtualNetwork": {
    ...inGroup("Microsoft.Network/virtualNetworks", ["virtualNetworkName"], USUAL_NAME),
    replaces: ["resourceGroupName", "virtualNetworkName", "location"],
    put: (inputs) => {
      for (const prefix of texts(inputs, "addressSpace.addressPrefixes")) cidr(prefix);
      return { provisioningState: "Succeeded" };
    },
  },
  [SUBNET]: {
    ...inGroup("Microsoft.Network/virtualNetworks/subnets", ["virtualNetworkName", "subnetName"], USUAL_NAME),
    put: subnet,
    delete: ({ id }, cloud) => {
      const user = cloud.ofType(INTERFACE).find((nic) => refers(nic, "ipConfigurations", "subnet.id", id));
      if (user !== undefined) throw inUse("InUseSubnetCannotBeDeleted", id, user.id);
    },
  },
  "azure-native:network:NetworkSecurityGroup": {
    ...inGroup("Microsoft.Network/networkSecurityGroups", ["networkSecurityGroupName"], USUAL_NAME),
    put: (inputs) => {
      rules(list(inputs, "securityRules"));
      return { provisioningState: "Succeeded", defaultSecurityRules: [{ name: "DenyAllInBound", priority: 65500 }] };
    },
    delete: ({ id }, cloud) => {
      const user = cloud.ofType(SUBNET).find((subnet) => same(text(subnet.inputs, "networkSecurityGroup.id"), id));
      if (user !== undefined) throw inUse("InUseNetworkSecurityGroupCannotBeDeleted", id, user.id);
    },
  },
  "azure-native:network:PublicIPAddress": {
    ...inGroup("Microsoft.Network/publicIPAddresses", ["publicIpAddressName"], USUAL_NAME),
    replaces: ["resourceGroupName", "publicIpAddressName", "location", "publicIPAddressVersion", "sku"],
    put: (inputs, cloud, before) => {
      const sku = text(inputs, "sku.name");
      if (sku !== "Standard")
        throw badRequest(
          "IPv4BasicSkuPublicIpCountLimitReached",
          "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region.",
        );
      if (text(inputs, "publicIPAllocationMethod") !== "Static") {
        throw badRequest(
          "StandardSkuPublicIPAddressesMustBeStatic",
          "Standard sku publicIp must have AllocationMethod set to Static.",
        );
      }
      const number = cloud.ofType("azure-native:network:PublicIPAddress").length;
      return { ipAddress: text(before?.outputs, "ipAddress") || `20.50.100.${10 + number}` };
    },
    delete: ({ id }, cloud) => {
      const user = addressUser(id, cloud);
      if (user !== undefined) throw inUse("PublicIPAddressCannotBeDeleted", id, user);
    },
  },
  [INTERFACE]: {
    ...CARD,
    put: (inputs, cloud, before) => {
      const networks = [inputs, before?.inputs ?? {}].flatMap((each) =>
        list(each, "ipConfigurations").map((one) => text(one, "subnet.id").split("/subnets/")[0] ?? ""),
      );
      for (const configuration of list(inputs, "ipConfigurations")) {
        must(cloud, text(configuration, "subnet.id"));
        // A subnet can be changed, the virtual network cannot (virtual-network-network-interface).
        if (!networks.every((network) => same(network, networks[0] ?? ""))) {
          throw badRequest(
            "SubnetsNotInSameVnet",
            `Subnet ${text(configuration, "subnet.id")} is in another virtual network.`,
          );
        }
        const address = text(configuration, "publicIPAddress.id");
        if (address !== "") {
          must(cloud, address);
          refuseUsedAddress(address, CARD.id(inputs, cloud), cloud);
        }
        // A pool is a part of a balancer, which has to be there first; members by address are put into it there.
        for (const pool of list(configuration, "loadBalancerBackendAddressPools")) {
          const [balancer = "", name = ""] = text(pool, "id").split("/backendAddressPools/");
          const pools = list(must(cloud, balancer).inputs, "backendAddressPools").map((each) => text(each, "name"));
          if (!pools.some((each) => same(each, name))) must(cloud, text(pool, "id"));
        }
      }
      const ipConfigurations = list(inputs, "ipConfigurations").map((one) => ({
        ...one,
        privateIPAddress: privateAddress(text(one, "subnet.id"), cloud, before),
      }));
      return { provisioningState: "Succeeded", macAddress: "00-0D-3A-00-00-01", ipConfigurations };
    },
    delete: ({ id }, cloud) => {
      const user = cloud
        .ofType("azure-native:compute:VirtualMachine")
        .find(({ inputs }) =>
          list(inputs, "networkProfile.networkInterfaces").some((nic) => same(text(nic, "id"), id)),
        );
      if (user !== undefined) throw inUse("NicInUse", id, user.id);
    },
  },
};

/** The first free one of a subnet, after the four that Azure keeps; a card keeps its own (private-ip-addresses). */
function privateAddress(subnet: string, cloud: Subscription, before: Resource | undefined): string {
  const [kept] = list(before?.outputs, "ipConfigurations").filter((one) => same(text(one, "subnet.id"), subnet));
  if (text(kept, "privateIPAddress") !== "") return text(kept, "privateIPAddress");
  const first = cidr(text(must(cloud, subnet).inputs, "addressPrefix")).first + 4;
  const taken = new Set(
    cloud
      .ofType(INTERFACE)
      .flatMap(({ outputs }) => list(outputs, "ipConfigurations").map((one) => text(one, "privateIPAddress"))),
  );
  for (let address = first; ; address += 1) {
    const found = [24, 16, 8, 0].map((bits) => (address >>> bits) & 255).join(".");
    if (!taken.has(found)) return found;
  }
}

function subnet(inputs: Properties, cloud: Subscription): Properties {
  const group = `${cloud.subscription}/resourceGroups/${text(inputs, "resourceGroupName")}`;
  const network = must(
    cloud,
    `${group}/providers/Microsoft.Network/virtualNetworks/${text(inputs, "virtualNetworkName")}`,
  );
  const inner = cidr(text(inputs, "addressPrefix"));
  const inside = texts(network.inputs, "addressSpace.addressPrefixes")
    .map(cidr)
    .some((outer) => inner.first >= outer.first && inner.last <= outer.last);
  if (!inside)
    throw badRequest("NetcfgInvalidSubnet", "Subnet 'signer' is not valid in virtual network 'signer-network'.");
  if (inner.prefix > 29) throw badRequest("NetcfgSubnetRangeTooSmall", "The smallest subnet is /29.");
  const firewall = text(inputs, "networkSecurityGroup.id");
  if (firewall !== "") must(cloud, firewall);
  // Azure answers with the regions that each endpoint reaches.
  const serviceEndpoints = list(inputs, "serviceEndpoints").map((endpoint) => ({ ...endpoint, locations: ["*"] }));
  return { serviceEndpoints, provisioningState: "Succeeded" };
}

/** Rules of one security group: priorities, names, prefixes (network-security-groups-overview). */
function rules(all: readonly Properties[]): void {
  const names = new Set<string>();
  const priorities = new Set<string>();
  for (const rule of all) {
    const name = text(rule, "name");
    const priority = Number(at(rule, "priority"));
    const slot = `${text(rule, "direction")} ${priority}`;
    if (!USUAL_NAME.test(name)) throw badRequest("InvalidResourceName", `Resource name ${name} is invalid.`);
    if (names.has(name)) throw badRequest("DuplicateResourceName", `Security rule ${name} is given twice.`);
    if (!(priority >= 100 && priority <= 4096)) {
      throw badRequest(
        "SecurityRuleInvalidPriority",
        `Security rule has invalid Priority. Value provided: ${priority}. Allowed range 100-4096.`,
      );
    }
    if (priorities.has(slot)) {
      throw badRequest(
        "SecurityRuleConflict",
        `Security rule ${name} conflicts with another rule. Rules cannot have the same Priority and Direction.`,
      );
    }
    names.add(name);
    priorities.add(slot);
    for (const side of ["source", "destination"]) prefixes(rule, side);
    for (const side of ["source", "destination"]) port(text(rule, `${side}PortRange`));
  }
}

/** One prefix may be a tag or `*`; a list holds addresses only; there is one or the other. */
function prefixes(rule: Properties, side: string): void {
  const one = text(rule, `${side}AddressPrefix`);
  const many = texts(rule, `${side}AddressPrefixes`);
  if ((one === "") === (many.length === 0)) {
    throw badRequest(
      "SecurityRuleParameterContainsBothPrefixes",
      `Give ${side}AddressPrefix or ${side}AddressPrefixes of ${text(rule, "name")}.`,
    );
  }
  if (one !== "" && !TAGS.has(one)) cidr(one);
  for (const prefix of many) cidr(prefix);
}

function port(range: string): void {
  if (range !== "*" && !/^\d{1,5}(-\d{1,5})?$/.test(range)) {
    throw badRequest("SecurityRuleInvalidPortRange", `Security rule has invalid Port range. Value provided: ${range}.`);
  }
}

function cidr(prefix: string) {
  const found = block(prefix);
  if (found === undefined)
    throw badRequest("InvalidAddressPrefixFormat", `Address prefix ${prefix} is not formatted correctly.`);
  return found;
}

function refers(user: Resource, listPath: string, idPath: string, id: string): boolean {
  return list(user.inputs, listPath).some((entry) => same(text(entry, idPath), id));
}
