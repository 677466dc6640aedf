import { expect } from "chai";
import fc from "fast-check";
import { AddressAllowList, plainAddress } from "../../../signer/admission/address-allow-list.ts";

function allows(entries: readonly string[], address: string): boolean {
  return new AddressAllowList(entries).allows(address);
}

describe("address allow-list", () => {
  const rows: [entries: string[], address: string, allowed: boolean][] = [
    [["203.0.113.7"], "203.0.113.7", true],
    [["203.0.113.7"], "203.0.113.8", false],
    [["203.0.113.7/32"], "203.0.113.7", true],
    [["203.0.113.0/24"], "203.0.113.255", true],
    [["203.0.113.0/24"], "203.0.114.0", false],
    [["203.0.113.9/24"], "203.0.113.1", true],
    [["198.51.100.1", "203.0.113.7"], "203.0.113.7", true],
    [["0.0.0.0/0"], "192.0.2.1", true],
    [["0.0.0.0/0"], "2001:db8::1", false],
    [["2001:db8::1"], "2001:db8::1", true],
    [["2001:DB8:0:0::1"], "2001:db8::1", true],
    [["2001:db8::/32"], "2001:db8:ffff::1", true],
    [["2001:db8::/32"], "2001:db9::1", false],
    [["::/0"], "2001:db8::1", true],
    [["::/0"], "192.0.2.1", false],
    [["::ffff:203.0.113.7"], "203.0.113.7", true],
    [["::ffff:203.0.113.0/120"], "203.0.113.9", true],
    [["::ffff:cb00:7107"], "203.0.113.7", true],
    [["::ffff:203.0.113.7"], "203.0.113.8", false],
    [["::ffff:203.0.113.0/120"], "203.0.114.0", false],
    [["::ffff:0.0.0.0/96"], "192.0.2.1", true],
    [["::ffff:0.0.0.0/96"], "2001:db8::1", false],
    // A range that holds more than IPv4's addresses is one of IPv6's, and lets no IPv4 address in.
    [["::ffff:0.0.0.0/95"], "192.0.2.1", false],
    [["::ffff:203.0.113.7/64"], "203.0.113.7", false],
    [["::ffff:203.0.113.7/0"], "203.0.113.7", false],
    [["::ffff:203.0.113.7/64"], "::1", true],
    [["::203.0.113.7"], "203.0.113.7", false],
    [[], "203.0.113.7", false],
    [["0.0.0.0/0", "::/0"], "unknown", false],
  ];
  for (const [entries, address, allowed] of rows) {
    it(`[${entries}] ${allowed ? "lets" : "does not let"} ${address} in`, () => {
      expect(allows(entries, address)).to.equal(allowed);
    });
  }

  for (const entry of [
    "",
    "localhost",
    "203.0.113",
    "203.0.113.256",
    "203.0.113.7/33",
    "203.0.113.7/",
    "203.0.113.7/-1",
    "203.0.113.7/ 8",
    "203.0.113.0/24/8",
    "203.0.113.7:6732",
    "2001:db8::/129",
    "fe80::1%eth0",
    " 203.0.113.7",
    "203.0.113.1-203.0.113.9",
  ]) {
    it(`refuses the entry ${JSON.stringify(entry)} by name`, () => {
      expect(() => new AddressAllowList(["192.0.2.1", entry])).to.throw(TypeError, JSON.stringify(entry));
    });
  }

  it("decides IPv4 ranges as plain arithmetic does", () => {
    const address = fc.nat(0xffffffff);
    const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
    fc.assert(
      fc.property(address, address, fc.nat(32), fc.nat(32), (network, noise, prefix, shared) => {
        const keep = shared === 0 ? 0n : (0xffffffffn << BigInt(32 - shared)) & 0xffffffffn;
        const peer = Number((BigInt(network) & keep) | (BigInt(noise) & ~keep & 0xffffffffn));
        const size = 2n ** BigInt(32 - prefix);
        const inside = BigInt(peer) / size === BigInt(network) / size;
        expect(allows([`${dotted(network)}/${prefix}`], dotted(peer))).to.equal(inside);
      }),
    );
  });
});

describe("address of a peer", () => {
  const rows: [string | undefined, string][] = [
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:203.0.113.7", "203.0.113.7"],
    ["2001:db8::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    [undefined, "unknown"],
  ];
  for (const [remote, plain] of rows) {
    it(`${remote} is ${plain}`, () => {
      expect(plainAddress(remote)).to.equal(plain);
    });
  }
});
