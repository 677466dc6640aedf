import { BlockList, isIP } from "node:net";

const IPV4_MAPPED = new BlockList();
IPV4_MAPPED.addSubnet("::ffff:0:0", 96, "ipv6"); // RFC 4291 2.5.5.2

/** IP addresses and ranges, and whether an address is among them. */
export class AddressAllowList {
  readonly #ipv4 = new BlockList();
  readonly #ipv6 = new BlockList();

  /**
   * @param entries IPv4 or IPv6 addresses, alone or as a CIDR range; IPv4-mapped IPv6 (::ffff:…) counts as IPv4
   * @throws TypeError that names the first entry that is neither
   */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const { address, family, prefix } = parseRange(entry);
      // Two lists, since a BlockList lets ::/0 match IPv4 as well, which nobody who writes it means.
      const mapped = family === "ipv6" && prefix >= 96 && IPV4_MAPPED.check(address, "ipv6");
      const list = family === "ipv4" || mapped ? this.#ipv4 : this.#ipv6;
      list.addSubnet(address, prefix, family);
    }
  }

  /** @param address of the peer, as plainAddress gives it */
  allows(address: string): boolean {
    const version = isIP(address);
    if (version === 4) return this.#ipv4.check(address, "ipv4");
    return version === 6 && this.#ipv6.check(address, "ipv6");
  }
}

interface Range {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  readonly prefix: number;
}

function parseRange(entry: string): Range {
  const [address = "", length, ...rest] = entry.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  const bits = version === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (version === 0 || rest.length > 0 || !(prefix <= bits)) {
    throw new TypeError(`${JSON.stringify(entry)} is not an IP address or a range such as 203.0.113.0/24`);
  }
  return { address, family: version === 4 ? "ipv4" : "ipv6", prefix };
}

/**
 * The peer's address as people write it: IPv4-mapped IPv6 as IPv4, without an interface name.
 * @param remoteAddress of the socket; undefined once the peer has hung up
 */
export function plainAddress(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return "unknown";
  const address = remoteAddress.replace(/%.*$/, "");
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice("::ffff:".length) : address;
}
