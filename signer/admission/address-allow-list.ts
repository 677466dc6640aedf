import { BlockList, isIP } from "node:net";
import { parseAddressRange } from "../network/address-range.ts";

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
      const range = parseAddressRange(entry);
      if (range === undefined) {
        throw new TypeError(`${JSON.stringify(entry)} is not an IP address or a range such as 203.0.113.0/24`);
      }
      const { address, family, prefix } = range;
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

/**
 * Returns the peer's address as people write it: IPv4-mapped IPv6 as IPv4, without an interface name.
 * @param remoteAddress of the socket; undefined once the peer has hung up
 */
export function plainAddress(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return "unknown";
  const address = remoteAddress.replace(/%.*$/, "");
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice("::ffff:".length) : address;
}
