import { badRequest, block, conflict } from "../arm.ts";
import { at, list, type Properties, text, texts } from "../properties.ts";
import type { Kind, Resource, Subscription } from "../subscription.ts";
import { inGroup, USUAL_NAME } from "./in-group.ts";

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

/** Virtual network, subnet, security group, public address, interface. */
export const NETWORK: Readonly<Record<string, Kind>> = {
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
      if (user !== undefined) throw inUse("InUseSubnetCannotBeDeleted", id, user);
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
      if (user !== undefined) throw inUse("InUseNetworkSecurityGroupCannotBeDeleted", id, user);
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
      const user = cloud.ofType(INTERFACE).find((nic) => refers(nic, "ipConfigurations", "publicIPAddress.id", id));
      if (user !== undefined) throw inUse("PublicIPAddressCannotBeDeleted", id, user);
    },
  },
  [INTERFACE]: {
    ...inGroup("Microsoft.Network/networkInterfaces", ["networkInterfaceName"], USUAL_NAME),
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
        must(cloud, text(configuration, "publicIPAddress.id"));
      }
      return { provisioningState: "Succeeded", macAddress: "00-0D-3A-00-00-01" };
    },
    delete: ({ id }, cloud) => {
      const user = cloud
        .ofType("azure-native:compute:VirtualMachine")
        .find(({ inputs }) =>
          list(inputs, "networkProfile.networkInterfaces").some((nic) => same(text(nic, "id"), id)),
        );
      if (user !== undefined) throw inUse("NicInUse", id, user);
    },
  },
};

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

/** @throws ArmError where a resource that another one names is not there */
export function must(cloud: Subscription, id: string): Resource {
  const found = cloud.get(id);
  if (found === undefined)
    throw badRequest("InvalidResourceReference", `Resource ${id} referenced by resource was not found.`);
  return found;
}

export function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function refers(user: Resource, listPath: string, idPath: string, id: string): boolean {
  return list(user.inputs, listPath).some((entry) => same(text(entry, idPath), id));
}

function inUse(code: string, id: string, user: Resource) {
  return conflict(code, `${id} is in use by ${user.id} and cannot be deleted.`);
}
