/**
 * The network security group as a table: who may reach the signer, and what the signer may reach.
 * Pure. Everything not listed is denied in both directions, other machines of the virtual network included
 * (Azure's own rule 65000 would let them in). Addresses of the platform itself (metadata service, DHCP, DNS)
 * are not subject to these rules (network-security-groups-overview).
 * @module
 */
import { METRICS_PORT, SIGNER_PORT } from "../signer/contract.ts";
import { headNode } from "./config/head-node.ts";
import { isBalanced } from "./config/pair.ts";
import type { StackConfig } from "./config/schema.ts";

/** One row, in the names that Azure gives the columns. */
export interface Rule {
  readonly name: string;
  readonly description: string;
  readonly direction: "Inbound" | "Outbound";
  /** 100-4096, lower first; unique within a direction. */
  readonly priority: number;
  readonly access: "Allow" | "Deny";
  readonly protocol: "Tcp" | "*";
  readonly sourceAddressPrefixes: readonly string[];
  readonly destinationAddressPrefix: string;
  readonly destinationPortRange: string;
}

const LAST = 4096;

/** Azure's service tag for every public address; it leaves out private ones (virtual-networks service tags). */
const PUBLIC = "Internet";

/** Azure's service tag for whoever asks in a balancer's name. */
export const PROBER = "AzureLoadBalancer";

/** Returns the rules of a stack, inbound first, each direction in order of priority. */
export function firewallRules(
  config: Pick<StackConfig, "bakerIp" | "adminIp" | "metricsIp" | "monitoring" | "head" | "instances" | "balancer">,
): Rule[] {
  const addresses = (blocks: StackConfig["bakerIp"]) => blocks.map((block) => block.text);
  const rules = [
    inbound("baker", 100, "The baker signs here", addresses(config.bakerIp), SIGNER_PORT),
    outbound("key-vault", 100, "The vault signs", "AzureKeyVault", 443),
    outbound("storage", 110, "Watermarks and releases", "Storage", 443),
    // Wider than the two above: Microsoft's page of run command names this tag and this port, and none narrower.
    outbound("azure", 120, "Results of run command", "AzureCloud", 443),
    // Their mirrors have no service tag. No UDP for the clock: Azure's images take the time from the host.
    outbound("packages", 130, "Ubuntu's signed packages", PUBLIC, 80),
  ];
  // Azure's tag for one address, 168.63.129.16, the machine's own host. The signer answers it whether it is ready, and nothing
  // else (signer/http/balancer.ts).
  if (isBalanced(config))
    rules.push(inbound("probe", 130, "The balancer asks whether it is ready", [PROBER], SIGNER_PORT));
  if (config.adminIp.length > 0) rules.push(inbound("admin", 110, "Log in", addresses(config.adminIp), 22));
  if (config.metricsIp.length > 0)
    rules.push(inbound("metrics", 120, "Metrics are read", addresses(config.metricsIp), METRICS_PORT));
  // Within AzureCloud, and named for whoever closes that: the tag has the endpoints of custom metrics (service-tags-overview).
  if (config.monitoring) rules.push(outbound("monitor", 125, "Figures for Azure Monitor", "AzureMonitor", 443));
  const node = headNode(config.head);
  if (node !== undefined) {
    // An address is narrower than what a name may lead to, and the only way to a private node.
    const to = node.isAddress ? node.hostname : PUBLIC;
    const what = node.isAddress ? "The head's node" : "The head's node: its name must lead to a public address";
    const isOpen = rules.some(
      (rule) => rule.destinationAddressPrefix === to && rule.destinationPortRange === String(node.port),
    );
    if (!isOpen) rules.push(outbound("node", 140, what, to, node.port));
  }
  for (const direction of ["Inbound", "Outbound"] as const) {
    rules.push({
      name: `deny-everything-else-${direction === "Inbound" ? "in" : "out"}`,
      description: "Everything else",
      direction,
      priority: LAST,
      access: "Deny",
      protocol: "*",
      sourceAddressPrefixes: ["*"],
      destinationAddressPrefix: "*",
      destinationPortRange: "*",
    });
  }
  return rules.sort((a, b) => a.direction.localeCompare(b.direction) || a.priority - b.priority);
}

function inbound(name: string, priority: number, description: string, from: readonly string[], port: number): Rule {
  return {
    name,
    description,
    direction: "Inbound",
    priority,
    access: "Allow",
    protocol: "Tcp",
    sourceAddressPrefixes: from,
    destinationAddressPrefix: "*",
    destinationPortRange: String(port),
  };
}

function outbound(name: string, priority: number, description: string, to: string, port: number): Rule {
  return {
    name: `${name}-out`,
    description,
    direction: "Outbound",
    priority,
    access: "Allow",
    protocol: "Tcp",
    sourceAddressPrefixes: ["*"],
    destinationAddressPrefix: to,
    destinationPortRange: String(port),
  };
}
