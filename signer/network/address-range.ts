import { isIP } from "node:net";

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
