import { isIP } from "node:net";
import { isLoopback } from "./url.ts";

/** IP addresses that share their first bits. */
export interface AddressRange {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  /** Bits that they share: 32 or 128 for one address alone. */
  readonly prefix: number;
}

/**
 * Reads an IP address, alone or as a CIDR range such as 203.0.113.0/24.
 * @returns undefined for any other text; an interface name (fe80::1%eth0) is none of an address
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [address = "", length, ...rest] = text.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  const bits = version === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (version === 0 || rest.length > 0 || !(prefix <= bits)) return undefined;
  return { address, family: version === 4 ? "ipv4" : "ipv6", prefix };
}

/**
 * Names what an address stands for where clients are told apart: whoever has one address of this computer (127.0.0.0/8,
 * ::1) has them all, and one of IPv6 has its network's 2^64. An IPv4 address of elsewhere stands for itself.
 * @param address of a peer, as plainAddress gives it
 */
export function clientOf(address: string): string {
  if (isLoopback(address)) return "this computer";
  if (isIP(address) !== 6) return address;
  // The dotted form has two groups of its last 32 bits.
  const [head = "", tail] = address.replace(/[\d.]+\.\d+$/, "0:0").split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const all = [...before, ...Array(Math.max(0, 8 - before.length - after.length)).fill("0"), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
