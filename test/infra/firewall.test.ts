import { expect } from "chai";
import fc from "fast-check";
import type { StackConfig } from "../../infra/config/schema.ts";
import { firewallRules } from "../../infra/firewall.ts";
import { settings } from "../fixtures/stack-configs.ts";

/** A rule as one line. */
const lines = (config: Readonly<Record<string, string>>, head?: StackConfig["head"]) =>
  firewallRules({ ...settings(config), head }).map(
    (rule) =>
      `${rule.direction} ${rule.priority} ${rule.access} ${rule.protocol} ${rule.sourceAddressPrefixes.join(",")} -> ${rule.destinationAddressPrefix}:${rule.destinationPortRange}`,
  );

const OUT = [
  "Outbound 100 Allow Tcp * -> AzureKeyVault:443",
  "Outbound 110 Allow Tcp * -> Storage:443",
  "Outbound 120 Allow Tcp * -> AzureCloud:443",
  "Outbound 130 Allow Tcp * -> Internet:80",
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

  it("opens port 9584 only when metricsIp is set, and only to it", () => {
    const with9584 = (config: Readonly<Record<string, string>>) =>
      lines(config).filter((line) => line.endsWith(":9584"));
    expect(with9584({ metricsIp: "84.20.19.1,84.20.20.0/28" })).to.deep.equal([
      "Inbound 120 Allow Tcp 84.20.19.1,84.20.20.0/28 -> *:9584",
    ]);
    expect(with9584({ adminIp: "84.20.19.1" })).to.deep.equal([]);
  });

  it("lets Azure's balancer ask at port 6732 only where there is one, beside everybody else who is let in", () => {
    const probe = "Inbound 130 Allow Tcp AzureLoadBalancer -> *:6732";
    const [adminIp, metricsIp] = ["84.20.19.1", "84.20.19.2"];
    expect(lines({ adminIp, metricsIp, instances: "2" }).filter((line) => line.startsWith("Inbound"))).to.deep.equal([
      "Inbound 100 Allow Tcp 84.20.17.5 -> *:6732",
      "Inbound 110 Allow Tcp 84.20.19.1 -> *:22",
      "Inbound 120 Allow Tcp 84.20.19.2 -> *:9584",
      probe,
      "Inbound 4096 Deny * * -> *:*",
    ]);
    expect(lines({ balancer: "true" })).to.include(probe);
    expect(lines({ adminIp, metricsIp })).not.to.include(probe);
  });

  it("lets the machine reach Azure Monitor by its own tag, where monitoring is on", () => {
    const out = lines({ monitoring: "true" }).filter((line) => line.includes("AzureMonitor"));
    expect(out).to.deep.equal(["Outbound 125 Allow Tcp * -> AzureMonitor:443"]);
    expect(lines({}).join()).not.to.include("AzureMonitor");
  });

  const nodes: readonly (readonly [node: string, rule: string | undefined])[] = [
    ["http://10.0.0.5:8732", "10.0.0.5:8732"],
    ["http://192.168.7.1", "192.168.7.1:80"],
    ["http://84.20.17.9:8732", "84.20.17.9:8732"],
    ["http://node.example.org:8732", "Internet:8732"],
    ["https://rpc.example.org", "Internet:443"],
    ["http://rpc.example.org", undefined], // the packages' rule has it
    ["http://localhost:8732", undefined],
    ["http://127.0.0.2:8732", undefined],
    ["http://[::1]:8732", undefined],
  ];
  for (const [node, rule] of nodes) {
    it(`lets the machine ask the node ${node} ${rule === undefined ? "without a rule of its own" : `by ${rule}`}`, () => {
      const out = lines({}, { node }).filter((line) => line.startsWith("Outbound"));
      const own = rule === undefined ? [] : [`Outbound 140 Allow Tcp * -> ${rule}`];
      expect(out).to.deep.equal([...OUT, ...own, "Outbound 4096 Deny * * -> *:*"]);
    });
  }

  it("says beside the rule of a node that is named, and of no other, that it must be public", () => {
    const description = (node: string) =>
      firewallRules({ ...settings(), head: { node } }).find(({ name }) => name === "node-out")?.description;
    expect(description("https://rpc.example.org")).to.equal("The head's node: its name must lead to a public address");
    expect(description("http://10.0.0.5:8732")).to.equal("The head's node");
  });

  it("keeps names and priorities unique within a direction, whatever is configured", () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(port, fc.boolean(), fc.boolean(), fc.boolean(), (nodePort, admin, watched, pair) => {
        const head = { node: `http://node.example.org:${nodePort}` };
        const access = admin ? { adminIp: "84.20.19.1" } : {};
        const watch = watched ? { metricsIp: "84.20.19.2", monitoring: "true" } : {};
        const rules = firewallRules({ ...settings({ ...access, ...watch, instances: pair ? "2" : "1" }), head });
        expect(new Set(rules.map(({ direction, priority }) => `${direction} ${priority}`)).size).to.equal(rules.length);
        expect(new Set(rules.map(({ name }) => name)).size).to.equal(rules.length);
      }),
    );
  });
});
