import { BlockList } from "node:net";
import { expect } from "chai";
import fc from "fast-check";
import { isDocumentation, parseBlocks } from "../../../infra/config/addresses.ts";

const parse = (input: string, wide = false) => parseBlocks(input.split(","), { wide });
const texts = (input: string, wide = false) => parse(input, wide).blocks.map(({ text }) => text);
const mistakes = (input: string, wide = false) => parse(input, wide).mistakes.join("\n");

/** RFC 6890, multicast and above as one, and Azure's platform address. */
const RESERVED = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const;

describe("addresses that may reach the signer", () => {
  it("takes one address, several, and blocks up to /24, in their order and once each", () => {
    expect(texts("84.20.17.5")).to.deep.equal(["84.20.17.5"]);
    expect(texts("84.20.17.5, 84.20.18.0/28 ,84.20.17.5/32")).to.deep.equal(["84.20.17.5", "84.20.18.0/28"]);
    expect(texts("84.20.18.0/24")).to.deep.equal(["84.20.18.0/24"]);
  });

  it("writes a block as Azure takes it, with no zero before its length", () => {
    expect(texts("84.0.0.0/08,84.20.17.5/032", true)).to.deep.equal(["84.0.0.0/8"]);
    expect(texts("85.20.17.5/032")).to.deep.equal(["85.20.17.5"]);
  });

  it("drops what another entry covers", () => {
    expect(texts("84.20.18.9,84.20.18.0/28,84.20.18.8/30,84.20.19.1")).to.deep.equal(["84.20.18.0/28", "84.20.19.1"]);
  });

  const refused: Record<string, RegExp> = {
    "0.0.0.0/0": /whole Internet/,
    "10.0.0.4": /is private/,
    "172.31.255.1": /is private/,
    "192.168.1.0/24": /is private/,
    "100.100.1.1": /carrier-grade NAT/,
    "127.0.0.1": /the computer itself/,
    "169.254.169.254": /link-local/,
    "168.63.129.16": /Azure's own platform/,
    "224.0.0.1": /multicast/,
    "255.255.255.255": /reserved/,
    "2001:db8::1": /IPv6/,
    "84.20.17.5:6732": /IPv6 or has a port/,
    "84.20.17": /is not an IPv4 address/,
    "84.20.17.256": /is not an IPv4 address/,
    "084.20.17.5": /is not an IPv4 address/,
    "84.20.17.5/330": /above \/32/,
    "84.20.17.5/": /is not an IPv4 address/,
    "84.20.17.5/24/24": /is not an IPv4 address/,
    "84.20.17.5%eth0": /is not an IPv4 address/,
    "84.20.17.5/33": /above \/32/,
    "84.20.17.5/28": /host bits set; write 84.20.17.0\/28/,
    "baker.example.org": /is not an IPv4 address/,
    "84.20.17.5,": /empty entry/,
    "": /empty entry/,
    "84.20.16.0/23": /512 addresses; nothing wider than \/24/,
  };
  for (const [input, reason] of Object.entries(refused)) {
    it(`refuses ${input === "" ? "nothing" : input}`, () => {
      expect(mistakes(input)).to.match(reason);
    });
  }

  it("names every bad entry, and takes the others", () => {
    expect(texts("10.0.0.4,84.20.17.5,84.20.17.256")).to.deep.equal(["84.20.17.5"]);
    expect(parse("10.0.0.4,84.20.17.5,84.20.17.256").mistakes).to.deep.equal([
      "10.0.0.4 is private",
      "84.20.17.256 is not an IPv4 address such as 203.0.113.7 or a block such as 203.0.113.0/28",
    ]);
  });

  it("takes a wide block when told to, but never one that holds private addresses or the whole Internet", () => {
    expect(texts("84.20.16.0/20", true)).to.deep.equal(["84.20.16.0/20"]);
    expect(mistakes("8.0.0.0/5", true)).to.match(/contains 10.0.0.0\/8, which is private/);
    expect(mistakes("0.0.0.0/0", true)).to.match(/whole Internet/);
  });

  it("agrees with Node.js's own block list about every address", () => {
    const unreachable = new BlockList();
    for (const [address, prefix] of RESERVED) unreachable.addSubnet(address, prefix);
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), (octets) => {
        const address = octets.join(".");
        expect(texts(address)).to.deep.equal(unreachable.check(address) ? [] : [address]);
        expect(mistakes(address).startsWith(`${address} `)).to.equal(unreachable.check(address));
      }),
      { numRuns: 1000 },
    );
  });

  it("knows the addresses of documentation", () => {
    const found = parse("203.0.113.7,198.51.100.0/28,84.20.17.5").blocks.map(isDocumentation);
    expect(found).to.deep.equal([true, true, false]);
  });
});
