import { isIPv4 } from "node:net";
import { isLoopback, portOf } from "../../signer/network/url.ts";
import type { StackConfig } from "./schema.ts";

/** The node that tells the chain's head, as far as its URL says where it is. */
export interface HeadNode {
  readonly hostname: string;
  /** Whether the host is an IPv4 address: what a name leads to is not known here. */
  readonly isAddress: boolean;
  readonly port: number;
}

/** Returns the head's node; undefined where there is none, or where it is the machine itself. */
export function headNode(head: StackConfig["head"]): HeadNode | undefined {
  if (head === undefined) return undefined;
  const url = new URL(head.node);
  const { hostname } = url;
  if (isLoopback(hostname)) return undefined;
  return { hostname, isAddress: isIPv4(hostname), port: portOf(url) };
}

/**
 * Returns the name of the head's node if it cannot resolve to a public address, which is all that the firewall allows a
 * name: one without a dot, or in a zone for private use (RFC 6762, RFC 8375, ICANN's `.internal`; `.lan` by custom).
 */
export function privateNodeName(head: StackConfig["head"]): string | undefined {
  const node = headNode(head);
  if (node === undefined || node.isAddress) return undefined;
  const name = node.hostname.replace(/\.$/, "");
  return !name.includes(".") || /\.(?:local|internal|lan|home\.arpa)$/.test(name) ? name : undefined;
}
