import { expect } from "chai";
import { INVARIANTS, violations } from "../../infra/invariants.ts";
import { type Plan, UNKNOWN } from "../../infra/plan/plan.ts";
import { EVERYTHING, plan } from "../fixtures/stack-configs.ts";
import { released } from "./stack.ts";

/** A plan in which one input of one resource is another. */
function altered(planned: Plan, name: string, path: string, value: unknown): Plan {
  const copy = structuredClone(planned) as unknown as {
    resources: { name: string; inputs: Record<string, unknown> }[];
  };
  const resource = copy.resources.find((candidate) => candidate.name === name);
  if (resource === undefined) throw new Error(`no ${name} in the plan`);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const inner = keys.reduce((object, key) => object[key] as Record<string, unknown>, resource.inputs);
  inner[last] = value;
  return copy as unknown as Plan;
}

const base64 = (content: string) => Buffer.from(content).toString("base64");

/** For the scanner: the form of a Tezos secret key, and no key. */
const SECRET = `edsk${"2".repeat(50)}`;

describe("the invariants", () => {
  let everything: Plan;

  before(async () => {
    everything = await plan(EVERYTHING);
  });

  it("are all kept by the least and by the fullest configuration", async () => {
    expect(violations(await plan())).to.deep.equal([]);
    expect(violations(everything)).to.deep.equal([]);
  });

  const breaches: readonly (readonly [resource: string, path: string, value: unknown, rule: RegExp])[] = [
    ["firewall", "securityRules.0.sourceAddressPrefixes", ["0.0.0.0/0"], /lets just anyone in: firewall, baker takes/],
    ["firewall", "securityRules.0.sourceAddressPrefix", "*", /lets just anyone in: firewall, baker takes/],
    ["firewall", "securityRules.0.sourceAddressPrefix", "Internet", /lets just anyone in: firewall, baker takes/],
    ["firewall", "securityRules.3.access", "Allow", /lets just anyone in|denial of everything/],
    ["firewall", "securityRules.3.destinationPortRange", "22", /denial of everything else: firewall, Inbound/],
    ["firewall", "securityRules.2.destinationPortRange", "9583", /on no other: firewall, metrics opens port 9583/],
    ["firewall", "securityRules.1.destinationPortRange", "*", /on no other: firewall, admin opens port \*/],
    ["vault", "properties.networkAcls.defaultAction", "Allow", /deny what they are not told/],
    ["vault", "properties.networkAcls.bypass", "AzureServices", /deny what they are not told/],
    ["account", "networkRuleSet.defaultAction", "Allow", /deny what they are not told/],
    ["account", "allowSharedKeyAccess", true, /no shared keys: account/],
    ["watermarks", "accountName", "tzrel<random>", /not in the account of the releases: watermarks/],
    ["release-account", "allowBlobPublicAccess", true, /without a key or a token: release-account/],
    ["release-container", "publicAccess", "Blob", /without a key or a token: release-container/],
    ["firewall", "securityRules.8.destinationPortRange", "443", /Internet is reached.*packages-out goes to port 443/],
    [
      "firewall",
      "securityRules.6.destinationAddressPrefix",
      "Internet",
      /Internet is reached.*azure-out goes to port 443/,
    ],
    ["firewall", "securityRules.6.destinationAddressPrefix", "0.0.0.0/0", /Internet is reached.*azure-out/],
    ["firewall", "securityRules.6.destinationAddressPrefixes", ["20.1.0.0/16", "Internet"], /Internet is.*azure-out/],
    [
      "vault",
      "properties.accessPolicies.1.permissions.keys",
      ["get", "sign"],
      /Nobody signs but the machine.*policy 1 has sign/,
    ],
    ["vault", "properties.accessPolicies.1.permissions.keys", ["Sign"], /Nobody signs but the.*policy 1 has Sign/],
    ["vault", "properties.accessPolicies.0.permissions.keys", ["sign", "purge"], /policy 0 has purge/],
    ["vault", "properties.enableRbacAuthorization", true, /Nobody signs but the machine.*roles count/],
    ["vault", "properties.enableRbacAuthorization", null, /Nobody signs but the machine.*roles count/],
    ["machine", "osProfile.customData", base64(`#!/bin/sh\nkey=${SECRET}`), /No secret.*customData/],
    [
      "machine",
      "osProfile.customData",
      base64(`-----BEGIN EC PRIVATE KEY-----\n${"A".repeat(64)}`),
      /No secret.*customData/,
    ],
    ["machine", "userData", base64(`{"connection":"AccountKey=${"A".repeat(86)}=="}`), /No secret.*userData/],
    ["interface", "tags", { stack: "dev" }, /says whose it is: interface/],
    ["interface", "tags", { project: "tezos-signer" }, /says whose it is: interface/],
    ["account", "enableHttpsTrafficOnly", false, /without a key or a token: account/],
    ["account", "networkRuleSet.bypass", "AzureServices", /deny what they are not told to allow: account/],
    ["firewall", "securityRules.9.access", "Allow", /denial of everything else: firewall, Outbound/],
    ["firewall", "securityRules.3.protocol", "Tcp", /denial of everything else: firewall, Inbound/],
    ["firewall", "securityRules.3.sourceAddressPrefix", "Internet", /denial of everything else: firewall, Inbound/],
    [
      "firewall",
      "securityRules.3.destinationAddressPrefix",
      "10.0.0.4",
      /denial of everything else: firewall, Inbound/,
    ],
    ["vault", "vaultName", "tezos-undefined", /No value is missing inside a text: vault/],
  ];
  for (const [resource, path, value, rule] of breaches) {
    it(`catch ${resource}.${path} = ${JSON.stringify(value).slice(0, 50)}`, () => {
      expect(violations(altered(everything, resource, path, value)).join("\n")).to.match(rule);
    });
  }

  // Each right by which a key is lost, copied or made another one, in any case that Azure takes.
  for (const right of ["delete", "purge", "backup", "restore", "release", "all", "rotate", "Delete"]) {
    it(`catch the right to ${right} a key, whoever has it`, () => {
      for (const policy of [0, 1]) {
        const path = `properties.accessPolicies.${policy}.permissions.keys`;
        expect(violations(altered(everything, "vault", path, ["get", right])).join("\n")).to.match(
          new RegExp(`Nobody signs but the machine.*policy ${policy} has ${right}$`),
        );
      }
    });
  }

  // Each form that a secret has, in what the machine is told and in what the stack prints; none of them is one.
  for (const secret of [
    ...["edsk", "spsk", "p2sk", "BLsk", "edesk", "spesk", "p2esk", "BLesk"].map((form) => `${form}${"2".repeat(50)}`),
    `-----BEGIN PRIVATE KEY-----\n${"A".repeat(64)}`,
    `eyJ${"a".repeat(30)}.${"b".repeat(30)}`,
    `AccountKey=${"A".repeat(86)}==`,
    `https://tzrel.blob.core.windows.net/releases/x?sv=2021-12-02&sig=${"A".repeat(40)}`,
  ]) {
    it(`catch a secret that begins with ${secret.slice(0, 26).replace("\n", " ")}`, () => {
      const given = base64(JSON.stringify({ release: secret }));
      expect(violations(altered(everything, "machine", "userData", given)).join("\n")).to.match(/No secret.*userData/);
      expect(violations({ ...everything, outputs: { url: secret } }).join("\n")).to.match(/No secret.*: url/);
    });
  }

  for (const anyone of ["*", "Internet", "Any", "0.0.0.0/0", "::/0"]) {
    it(`catch ${anyone} as somebody who is let in`, () => {
      for (const [path, value] of [
        ["sourceAddressPrefix", anyone],
        ["sourceAddressPrefixes", ["84.20.17.5", anyone]],
      ] as const) {
        expect(violations(altered(everything, "firewall", `securityRules.0.${path}`, value)).join("\n")).to.include(
          `lets just anyone in: firewall, baker takes ${anyone}`,
        );
      }
    });
  }

  it("let the machine reach the node of its own settings, and no other port", async () => {
    const node = '{"node":"https://node.example.org:8732"}';
    const planned = await plan({ head: node });
    expect(violations(planned)).to.deep.equal([]);
    const rule = "securityRules.6";
    expect(violations(altered(planned, "firewall", `${rule}.destinationPortRange`, "8733")).join()).to.match(
      /port 8733/,
    );
  });

  it("let it reach no port of the Internet for a node on the machine itself", async () => {
    const planned = await plan({ head: '{"node":"http://127.0.0.1:8732"}' });
    expect(violations(planned)).to.deep.equal([]);
    const opened = altered(planned, "firewall", "securityRules.4.destinationPortRange", "8732");
    const wide = altered(opened, "firewall", "securityRules.4.destinationAddressPrefix", "Internet");
    expect(violations(wide).join()).to.match(/goes to port 8732/);
  });

  it("hold every account but the releases' own to be closed and without shared keys", () => {
    const moved = everything.resources.map((resource) =>
      resource.name === "release-account" ? { ...resource, parentType: "tezos-signer:infra:KeyVault" } : resource,
    );
    expect(violations({ ...everything, resources: moved })).to.have.members([
      "The vault and the watermarks' account deny what they are not told to allow: release-account",
      "The watermarks' account has no shared keys: release-account",
    ]);
  });

  it("are broken by nothing that is not known yet", () => {
    const unknown = everything.resources.map((resource) => ({
      ...resource,
      inputs: Object.fromEntries(
        Object.entries(resource.inputs).map(([key, value]) => [key, key === "tags" ? value : UNKNOWN]),
      ),
    }));
    expect(violations({ resources: unknown, outputs: everything.outputs })).to.deep.equal([]);
  });

  it("are broken by a plan without a firewall", () => {
    const bare = everything.resources.filter(({ name }) => name !== "firewall");
    expect(violations({ ...everything, resources: bare }).join("\n")).to.match(/denial.*: there is no firewall/);
  });

  it("let users write what they like into tags, and paths be what they are", () => {
    const named = altered(everything, "vault", "tags.owner", "null undefined NaN");
    expect(violations(altered(named, released("first"), "source", { path: "/home/null/undefined" }))).to.deep.equal([]);
  });

  it("catch a secret among the outputs", () => {
    const leaky = { ...everything, outputs: { key: SECRET } };
    expect(violations(leaky).join("\n")).to.match(/No secret.*: key/);
  });

  it("have each a breach here", () => {
    const broken = breaches.flatMap(([resource, path, value]) =>
      violations(altered(everything, resource, path, value)),
    );
    for (const { name } of INVARIANTS)
      expect(
        broken.some((line) => line.startsWith(name)),
        name,
      ).to.equal(true);
  });
});
