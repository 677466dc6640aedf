import { expect } from "chai";
import { bootScript } from "../../infra/custom-data.ts";
import { settings } from "./example.ts";

const script = (changed: Record<string, string>) => bootScript(settings(changed));

describe("customData of a stack", () => {
  it("is the same for whatever changes in ordinary use", () => {
    const usual = script({});
    for (const changed of [
      { bakerIp: "203.0.114.9" },
      { policy: '{"default":{"allow":["attestation"]}}' },
      { vmSize: "Standard_B2ats_v2" },
    ]) {
      expect(script(changed), JSON.stringify(changed)).to.equal(usual);
    }
  });

  it("has sshd where an adminIp is set, and does not change with another one", () => {
    const open = script({ adminIp: "198.51.100.4" });
    expect(open).not.to.equal(script({}));
    expect(script({ adminIp: "198.51.100.5" })).to.equal(open);
  });

  it("is base64 of at most 60,000 bytes", () => {
    expect(Buffer.from(script({}), "base64").length).to.be.below(60_000);
  });
});
