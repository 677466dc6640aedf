import { expect } from "chai";
import { clientOf, parseAddressRange } from "../../../signer/network/address-range.ts";

describe("an address or a range of them", () => {
  it("is one of IPv4 or IPv6, with the bits that its addresses share", () => {
    expect(parseAddressRange("203.0.113.7")).to.deep.equal({ address: "203.0.113.7", family: "ipv4", prefix: 32 });
    expect(parseAddressRange("203.0.113.0/24")).to.deep.include({ family: "ipv4", prefix: 24 });
    expect(parseAddressRange("2001:db8::/32")).to.deep.equal({ address: "2001:db8::", family: "ipv6", prefix: 32 });
    expect(parseAddressRange("::1")).to.deep.include({ family: "ipv6", prefix: 128 });
  });

  it("is no other text", () => {
    for (const text of ["", "/", "203.0.113", "203.0.113.7/33", "203.0.113.7/", "203.0.113.7/a", "203.0.113.7/-1"])
      expect(parseAddressRange(text), text).to.equal(undefined);
    for (const text of ["01.2.3.4", "::/129", "fe80::1%eth0", "1.2.3.4/8/8", " 1.2.3.4", "1.2.3.4\n", "example.org"])
      expect(parseAddressRange(text), text).to.equal(undefined);
  });
});

describe("whom an address stands for", () => {
  it("is this computer for each of its addresses, however it is spelled", () => {
    for (const address of ["127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1"])
      expect(clientOf(address), address).to.equal("this computer");
  });

  it("is the network of an address of IPv6, and an address of IPv4 itself", () => {
    expect(clientOf("203.0.113.7")).to.equal("203.0.113.7");
    for (const address of ["2001:db8:1:2::9", "2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002::192.0.2.1"])
      expect(clientOf(address), address).to.equal("2001:db8:1:2::/64");
  });

  it("is itself where it is no address", () => {
    expect(clientOf("unknown")).to.equal("unknown");
  });
});
