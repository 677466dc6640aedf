import { expect } from "chai";
import fc from "fast-check";
import { firewallRules } from "../../infra/firewall.ts";
import { settings } from "./example.ts";

/** A rule as one line. */
const lines = (config: Readonly<Record<string, string>>) =>
  firewallRules(settings(config)).map(
    (rule) =>
      `${rule.direction} ${rule.priority} ${rule.access} ${rule.protocol} ${rule.sourceAddressPrefixes.join(",")} -> ${rule.destinationAddressPrefix}:${rule.destinationPortRange}`,
  );

const OUT = [
  "Outbound 100 Allow Tcp * -> Internet:443",
  "Outbound 110 Allow Tcp * -> Internet:80",
  "Outbound 120 Allow Udp * -> Internet:123",
];

describe("the machine's firewall", () => {
  it("lets the baker reach port 6732 and nobody reach anything else", () => {
    expect(lines({ bakerIp: "84.20.17.5" })).to.deep.equal([
      "Inbound 100 Allow Tcp 84.20.17.5 -> *:6732",
      "Inbound 4096 Deny * * -> *:*",
      ...OUT,
      "Outbound 4096 Deny * * -> *:*",
    ]);
  });

  it("puts several bakers into one rule, as they were given", () => {
    expect(lines({ bakerIp: "84.20.17.5,84.20.18.0/28" })[0]).to.equal(
      "Inbound 100 Allow Tcp 84.20.17.5,84.20.18.0/28 -> *:6732",
    );
  });

  it("opens port 22 only when adminIp is set, and only to it", () => {
    const with22 = lines({ adminIp: "84.20.19.1" }).filter((line) => line.endsWith(":22"));
    expect(with22).to.deep.equal(["Inbound 110 Allow Tcp 84.20.19.1 -> *:22"]);
    expect(lines({}).filter((line) => line.endsWith(":22"))).to.deep.equal([]);
  });

  it("lets the machine ask a node on a port of its own", () => {
    const head = { node: "http://84.20.17.9:8732" };
    const rules = firewallRules({ ...settings(), head });
    expect(rules.find(({ name }) => name === "node-out")?.destinationPortRange).to.equal("8732");
    expect(firewallRules({ ...settings(), head: { node: "https://rpc.example.org" } })).to.have.length(6);
  });

  it("keeps names and priorities unique within a direction, whatever is configured", () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(port, fc.boolean(), (nodePort, admin) => {
        const head = { node: `http://node.example.org:${nodePort}` };
        const rules = firewallRules({ ...settings(admin ? { adminIp: "84.20.19.1" } : {}), head });
        expect(new Set(rules.map(({ direction, priority }) => `${direction} ${priority}`)).size).to.equal(rules.length);
        expect(new Set(rules.map(({ name }) => name)).size).to.equal(rules.length);
      }),
    );
  });
});
