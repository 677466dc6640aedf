import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { type SignerConfiguration, signerConfiguration } from "../../../infra/config/signer-configuration.ts";
import { LEAST, settings } from "../../fixtures/stack-configs.ts";

describe("the configuration that another program gives a signer", () => {
  const of = (more: object) => signerConfiguration("dev", { ...LEAST, ...more } as SignerConfiguration);

  it("is that of a stack's file, with numbers, truth values, lists and objects as such", () => {
    const keys = [{ name: "baker", curve: "P-256", source: "generate" }];
    const head = { node: "https://rpc.tzkt.io/mainnet" };
    const given = { bakerIp: ["84.20.17.5", "84.20.18.0/28"], instances: 2, monitoring: true, keys, head };
    const texts = Object.entries(given).map(([key, value]) => [key, JSON.stringify(value)]);
    expect(of(given)).to.deep.equal(settings(Object.fromEntries(texts)));
    expect(of({ head: undefined })).to.deep.equal(settings());
  });

  it("is refused with every mistake at once, in a sentence that Pulumi prints without a stack trace", () => {
    expect(() => of({ bakerIp: "10.0.0.4", instances: 3, vmSize: "B1s" }))
      .to.throw(pulumi.RunError, /has 3 mistakes; nothing was changed/)
      .with.property("message")
      .that.includes("bakerIp: 10.0.0.4 is private")
      .and.includes("instances = 3: is neither 1 nor 2")
      .and.includes("did you mean Standard_B1s?");
  });

  it("is refused where a value or a part of one is known only later, which would be taken for a text or for nothing", () => {
    const later = pulumi.output("84.20.17.5");
    for (const [key, value] of Object.entries({
      bakerIp: later,
      adminIp: [later],
      keyImporter: { objectId: "aaaaaaaa-1111-4222-8333-444444444444", ip: later },
      tags: { owner: later },
      policy: Promise.resolve({ default: { allow: [] } }),
    })) {
      expect(() => of({ [key]: value }), key).to.throw(
        pulumi.RunError,
        new RegExp(`^${key}: an output or a promise is known too late, .*: give the value itself$`),
      );
    }
  });
});
