import { badRequest, block } from "../arm.ts";
import { list, type Properties, text } from "../properties.ts";
import type { Kind, Resource, Subscription } from "../subscription.ts";
import { isStandard, must, refuseUsedAddress } from "./addresses.ts";
import { inGroup, USUAL_NAME } from "./in-group.ts";

/** What a balancer gives names to, and others refer to. */
const PARTS = ["frontendIPConfigurations", "backendAddressPools", "probes", "loadBalancingRules", "outboundRules"];

/**
 * Load balancers. Only what a stack with one address and one pool needs of them. The codes InvalidResourceReference,
 * PublicIPAddressInUse and PublicIPAndLBSkuDoNotMatch are recorded; for the other refusals documents give the rule and no code.
 */
export const LOAD_BALANCER: Readonly<Record<string, Kind>> = {
  "azure-native:network:LoadBalancer": {
    ...inGroup("Microsoft.Network/loadBalancers", ["loadBalancerName"], USUAL_NAME),
    put: balancer,
  },
};

function balancer(inputs: Properties, cloud: Subscription, before: Resource | undefined): Properties {
  const own = `${cloud.subscription}/resourceGroups/${text(inputs, "resourceGroupName")}/providers/Microsoft.Network/loadBalancers/${text(inputs, "loadBalancerName")}`;
  const sku = text(inputs, "sku.name") || "Basic";
  // Basic balancers were retired with Basic addresses (load-balancer/skus).
  if (sku !== "Standard") {
    throw badRequest("BasicSkuLoadBalancerNotAllowed", "Basic sku load balancers can no longer be created.");
  }
  if (before !== undefined && text(before.inputs, "sku.name") !== sku) {
    throw badRequest("LoadBalancerSkuCannotBeChanged", `The sku of ${own} cannot be changed.`);
  }
  for (const kind of PARTS) names(inputs, kind);
  for (const frontend of list(inputs, "frontendIPConfigurations")) front(frontend, own, sku, cloud);
  for (const pool of list(inputs, "backendAddressPools")) members(pool, inputs, cloud);
  for (const probe of list(inputs, "probes")) look(probe);
  rules(inputs, own);
  return {
    provisioningState: "Succeeded",
    ...Object.fromEntries(
      PARTS.map((kind) => [
        kind,
        list(inputs, kind).map((part) => ({ ...part, id: `${own}/${kind}/${text(part, "name")}` })),
      ]),
    ),
  };
}

function names(inputs: Properties, kind: string): void {
  const all = list(inputs, kind).map((part) => text(part, "name").toLowerCase());
  if (all.includes("") || new Set(all).size < all.length) {
    throw badRequest("DuplicateResourceName", `Each of ${kind} needs a name of its own.`);
  }
}

/** One address for each frontend, of the balancer's own sku, that nothing else has (Azure/terraform-azurerm-loadbalancer#32). */
function front(frontend: Properties, own: string, sku: string, cloud: Subscription): void {
  const id = text(frontend, "publicIPAddress.id");
  const zones = list(frontend, "zones");
  if (id === "") throw badRequest("LoadBalancerFrontendMissingAddress", `A frontend of ${own} has no address.`);
  if (zones.length > 0) {
    throw badRequest("LoadBalancerFrontendIPConfigCannotHaveZone", "A public frontend has the zones of its address.");
  }
  const address = must(cloud, id);
  if (!isStandard(address)) {
    throw badRequest(
      "PublicIPAndLBSkuDoNotMatch",
      `${sku} sku load balancer ${own} cannot reference Basic sku publicIP ${id}.`,
    );
  }
  refuseUsedAddress(id, own, cloud);
}

/** Members by address: in one virtual network that is there, each once (load-balancer/backend-pool-management). */
function members(pool: Properties, inputs: Properties, cloud: Subscription): void {
  const all = list(pool, "loadBalancerBackendAddresses");
  const seen = new Set<string>();
  for (const member of all) {
    const ip = text(member, "ipAddress");
    const network = text(member, "virtualNetwork.id") || text(pool, "virtualNetwork.id");
    if (block(ip)?.prefix !== 32) throw badRequest("InvalidIPAddress", `${ip} is not an IP address.`);
    if (network === "") throw badRequest("VirtualNetworkRequired", `The address ${ip} of a pool names no network.`);
    const { location } = must(cloud, network).inputs;
    if (location !== inputs.location) throw badRequest("ResourceInDifferentLocation", `${network} is in ${location}.`);
    if (seen.has(ip)) throw badRequest("DuplicateBackendAddress", `${ip} is in the pool already.`);
    seen.add(ip);
  }
  const joined = cloud
    .ofType("azure-native:network:NetworkInterface")
    .some((nic) =>
      list(nic.inputs, "ipConfigurations").some((one) =>
        list(one, "loadBalancerBackendAddressPools").some((each) =>
          text(each, "id").endsWith(`/${text(pool, "name")}`),
        ),
      ),
    );
  if (joined && all.length > 0) {
    throw badRequest("MixedBackendPool", "A pool has interfaces or addresses, and not both.");
  }
}

/** Every 5 seconds at the most, and only what HTTP needs has a path (load-balancer-custom-probe-overview). */
function look(probe: Properties): void {
  const interval = Number(probe.intervalInSeconds ?? 15);
  if (interval < 5) throw badRequest("LoadBalancerProbeIntervalInvalid", "A probe's interval is 5 seconds or more.");
  const isHttp = ["Http", "Https"].includes(text(probe, "protocol"));
  if (isHttp !== (text(probe, "requestPath") !== "")) {
    throw badRequest("InvalidProbeRequestPath", "A path is for HTTP, and HTTP needs one.");
  }
}

/** What a rule names is there; no two take the same port of a frontend (load-balancer/components). */
function rules(inputs: Properties, own: string): void {
  const parts = new Set(
    PARTS.flatMap((kind) => list(inputs, kind).map((part) => `${own}/${kind}/${text(part, "name")}`.toLowerCase())),
  );
  const slots = new Set<string>();
  const balancing = list(inputs, "loadBalancingRules");
  for (const rule of balancing) {
    const named = ["frontendIPConfiguration.id", "backendAddressPool.id", "probe.id"].map((path) => text(rule, path));
    for (const id of named.filter((each) => each !== "")) {
      if (!parts.has(id.toLowerCase())) {
        throw badRequest("InvalidResourceReference", `Resource ${id} referenced by resource ${own} was not found.`);
      }
    }
    const idle = Number(rule.idleTimeoutInMinutes ?? 4);
    if (!(idle >= 4 && idle <= 100)) {
      throw badRequest("LoadBalancingRuleIdleTimeoutIsInvalid", "An idle timeout is from 4 to 100 minutes.");
    }
    const slot = `${named[0]} ${text(rule, "protocol")} ${rule.frontendPort}`;
    if (slots.has(slot)) {
      throw badRequest("RulesUseSameFrontendPortProtocolAndIP", `Two rules of ${own} have the same frontend port.`);
    }
    slots.add(slot);
  }
  // Otherwise the frontend would have two ways of giving out ports (load-balancer/outbound-rules).
  if (list(inputs, "outboundRules").length > 0 && balancing.some((rule) => rule.disableOutboundSnat !== true)) {
    throw badRequest("OutboundRuleConflict", "Rules beside an outbound rule need disableOutboundSnat.");
  }
}
