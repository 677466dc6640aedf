/**
 * The network security group as a table: who may reach the signer, and what the signer may reach.
 * Pure. Everything not listed is denied in both directions, other machines of the virtual network included
 * (Azure's own rule 65000 would let them in). Addresses of the platform itself (metadata service, DHCP, DNS)
 * are not subject to these rules (network-security-groups-overview).
 * @module
 */
import type { Settings } from "./settings.ts";

/** One row, in the names that Azure gives the columns. */
export interface Rule {
  readonly name: string;
  readonly description: string;
  readonly direction: "Inbound" | "Outbound";
  /** 100-4096, lower first; unique within a direction. */
  readonly priority: number;
  readonly access: "Allow" | "Deny";
  readonly protocol: "Tcp" | "Udp" | "*";
  readonly sourceAddressPrefixes: readonly string[];
  readonly destinationAddressPrefix: string;
  readonly destinationPortRange: string;
}

/** The port octez expects of a remote signer unless told otherwise. */
export const SIGNER_PORT = 6732;

const LAST = 4096;

/** The rules of a stack, inbound first, each direction in order of priority. */
export function firewallRules(settings: Pick<Settings, "bakerIp" | "adminIp" | "head">): Rule[] {
  const addresses = (blocks: Settings["bakerIp"]) => blocks.map((block) => block.text);
  const rules = [
    inbound("baker", 100, "The baker signs here", addresses(settings.bakerIp), SIGNER_PORT),
    outbound("https", 100, "Azure, Node.js, npm, Ubuntu", "Tcp", 443),
    outbound("http", 110, "Ubuntu's signed packages", "Tcp", 80),
    outbound("time", 120, "The clock", "Udp", 123),
  ];
  if (settings.adminIp.length > 0) rules.push(inbound("admin", 110, "Log in", addresses(settings.adminIp), 22));
  const node = nodePort(settings.head);
  if (node !== 80 && node !== 443) rules.push(outbound("node", 130, "The head's node", "Tcp", node));
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

function outbound(name: string, priority: number, description: string, protocol: "Tcp" | "Udp", port: number): Rule {
  return {
    name: `${name}-out`,
    description,
    direction: "Outbound",
    priority,
    access: "Allow",
    protocol,
    sourceAddressPrefixes: ["*"],
    destinationAddressPrefix: "Internet",
    destinationPortRange: String(port),
  };
}

function nodePort(head: Settings["head"]): number {
  if (head === undefined) return 443;
  const { port, protocol } = new URL(String(head.node));
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}
