import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { EXAMPLE_SSH_KEY } from "../../../infra/config/readers.ts";
import { ConfigurationError, KEYS, parseSettings, warnings } from "../../../infra/config/schema.ts";
import { readStackFile } from "../../../infra/plan/stack-file.ts";
import { EVERYTHING, LEAST, SSH_KEY, settings } from "../../fixtures/stack-configs.ts";

const root = resolve(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

/** Mistakes of a configuration, as key and problem. */
function mistakes(config: Readonly<Record<string, string>>) {
  try {
    parseSettings(config, "dev");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.mistakes;
  }
}

describe("the stack's configuration", () => {
  it("needs a location, the baker's address and an SSH key, and nothing else", () => {
    expect(mistakes({}).map(({ key, problem }) => `${key} ${problem}`)).to.deep.equal([
      "location is missing",
      "bakerIp is missing",
      "sshPublicKey is missing",
    ]);
    expect(mistakes(LEAST)).to.deep.equal([]);
  });

  it("fills in what is not set", () => {
    const found = settings();
    expect(found).to.include({ vmSize: "Standard_B1s", production: false, monitoring: false, redundancy: "LRS" });
    expect(found.chains).to.deep.equal(["NetXdQprcVkpaWU"]);
    expect(found.operator).to.equal(undefined);
  });

  it("takes everything at once", () => {
    const found = settings(EVERYTHING);
    expect(found.operator).to.deep.equal({ objectId: "aaaaaaaa-1111-4222-8333-444444444444", ip: "84.20.19.2" });
    expect(found.keys.map(({ name, curve }) => `${name} ${curve}`)).to.deep.equal([
      "consensus P-256",
      "manager P-256K",
    ]);
  });

  const wrong: readonly (readonly [key: keyof typeof KEYS, value: string, reason: RegExp])[] = [
    ["location", "North Europe", /identifier/],
    ["bakerIp", "0.0.0.0/0", /whole Internet/],
    ["bakerIp", "84.20.16.0/23", /512 addresses.*set allowWideBakerIp to true$/],
    ["adminIp", "84.20.16.0/23", /512 addresses; nothing wider than \/24 is taken$/],
    ["allowWideBakerIp", "yes", /neither true nor false/],
    ["operator", '{"objectId":"me","ip":"84.20.19.2"}', /objectId is not a GUID/],
    ["operator", '{"objectId":"aaaaaaaa-1111-4222-8333-444444444444"}', /ip is missing/],
    ["operator", '{"objectId":"aaaaaaaa-1111-4222-8333-444444444444","ip":"84.20.19.0/28"}', /one address/],
    ["operator", '{"objectId":"aaaaaaaa-1111-4222-8333-444444444444","ip":"84.20.19.2","name":"x"}', /name is unknown/],
    ["adminIp", "*", /is not an IPv4 address/],
    ["sshPublicKey", "ecdsa-sha2-nistp256 AAAA", /Ed25519 or RSA/],
    ["sshPublicKey", `${SSH_KEY.slice(0, 60)}`, /damaged|cut short/],
    ["sshPublicKey", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDL", /damaged|fewer than 2048/],
    ["vmSize", "B1s", /begins with Standard_/],
    ["image", "Ubuntu2404", /publisher:offer:sku:version/],
    ["redundancy", "GRS", /none of LRS, ZRS/],
    ["keys", "baker", /is not JSON/],
    ["keys", '[{"name":"my key","curve":"P-256","source":"generate"}]', /\[0\]\.name/],
    ["keys", '[{"name":"k","curve":"Ed25519","source":"generate"}]', /\[0\]\.curve/],
    ["keys", '[{"name":"k","curve":"P-256","source":"import"}]', /imported, not listed/],
    [
      "keys",
      '[{"name":"k","curve":"P-256","source":"generate"},{"name":"k","curve":"P-256K","source":"generate"}]',
      /twice/,
    ],
    ["chains", "[]", /is empty/],
    ["chains", '["mainnet"]', /mainnet is not a chain id/],
    ["chains", '["NetXdQprcVkpaWV"]', /the signer refuses policy.default.chains/],
    ["initialise", '{"level":0,"until":"2026-11-20T16:00:00Z"}', /level is not a block level/],
    ["initialise", '{"level":9,"until":"tomorrow"}', /until is not a time/],
    ["initialise", '{"level":9,"until":"2999-01-01T00:00:00Z"}', /more than 24 hours ahead/],
    ["policy", '{"default":[]}', /default is not an object/],
    ["policy", '{"default":{"allow":["blocks"]}}', /the signer refuses policy.default.allow/],
    ["policy", '{"default":{"allow":["block"],"deny":[]}}', /the signer refuses policy.default.deny/],
    ["authorizedKeys", '["tz1"]', /the signer refuses authentication.keys/],
    ["head", '{"node":"rpc.tzkt.io"}', /not a URL/],
    ["head", '{"node":"http://[::ffff:10.0.0.5]:8732"}', /IPv6 address; the machine's network is IPv4/],
    ["head", '{"node":"http://[2001:db8::1]:8732"}', /IPv6 address; the machine's network is IPv4/],
    ["alertEmail", "baker", /not an e-mail address/],
    ["alertEmail", "baker@example.org", /need monitoring/],
    ["tags", '{"a/b":"c"}', /no tag name/],
    ["tags", '{"a":1}', /is not a text/],
  ];
  for (const [key, value, reason] of wrong) {
    it(`refuses ${key} = ${value.slice(0, 60)}`, () => {
      const [first, ...more] = mistakes({ ...LEAST, [key]: value });
      expect(first?.key).to.equal(key);
      expect(first?.problem).to.match(reason);
      expect(first?.example).to.match(
        new RegExp(`^for example(: pulumi config set ${key} |, in Pulumi.STACK.yaml: tezos-signer:${key}: )`),
      );
      expect(more).to.deep.equal([]);
    });
  }

  it("reports every mistake at once, with key, value and a correct example", () => {
    const message = new ConfigurationError(mistakes({ ...LEAST, bakerIp: "10.0.0.4", vmSize: "B1s" })).message;
    expect(message.split("\n")).to.deep.equal([
      "the stack's configuration has 2 mistakes; nothing was changed",
      "  bakerIp = 10.0.0.4",
      "    10.0.0.4 is private",
      "    for example: pulumi config set bakerIp 203.0.113.7",
      "  vmSize = B1s",
      "    is not a size's name, which begins with Standard_",
      "    for example: pulumi config set vmSize Standard_B2ats_v2",
    ]);
  });

  it("never shows a private key that was given for a public one", () => {
    const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----";
    const [mistake] = mistakes({ ...LEAST, sshPublicKey: key });
    expect(mistake?.value).to.equal("(a private key, not shown)");
    expect(JSON.stringify(mistake)).not.to.include("b3Blb");
  });

  it("refuses a key that is not known, and guesses what was meant", () => {
    expect(mistakes({ ...LEAST, vmsize: "Standard_B1s" })[0]?.problem).to.equal("no such key; did you mean vmSize?");
  });

  it("accepts each key's own example", () => {
    for (const [key, { example }] of Object.entries(KEYS)) {
      if (key === "sshPublicKey") continue; // a command that reads the file
      const more = key === "alertEmail" ? { monitoring: "true" } : {};
      // confirm and head are the signer's to know; what it does not know yet is refused by name.
      const found = mistakes({ ...LEAST, ...more, [key]: example }).filter(
        ({ problem }) => !/there is no such setting/.test(problem),
      );
      expect(found, key).to.deep.equal([]);
    }
  });

  it("refuses the examples' address and key for production, and warns of them elsewhere", () => {
    const examples = { ...LEAST, bakerIp: "203.0.113.7", sshPublicKey: EXAMPLE_SSH_KEY };
    expect(mistakes({ ...examples, production: "true" }).map(({ key }) => key)).to.deep.equal([
      "bakerIp",
      "sshPublicKey",
    ]);
    expect(warnings(settings(examples))).to.have.length(2);
    expect(warnings(settings())).to.deep.equal([]);
  });

  for (const name of ["node", "node.local", "Node.LAN", "a.b.internal", "node.home.arpa", "node.lan."]) {
    it(`warns of a head's node by the private name ${name}, to which the firewall does not let it lead`, () => {
      const found = warnings(settings({ head: JSON.stringify({ node: `https://${name}:8732` }) }));
      expect(found).to.have.length(1);
      expect(found[0]).to.equal(
        `head.node ${name.toLowerCase().replace(/\.$/, "")} looks like a private name, and the firewall lets a name ` +
          "lead to public addresses only: give the node's address",
      );
    });
  }

  for (const node of [
    "https://rpc.tzkt.io/mainnet",
    "https://local.example.org",
    "https://10.0.0.5",
    "https://localhost",
    "http://127.0.0.1:8732",
  ]) {
    it(`warns of nothing for the head's node ${node}`, () => {
      expect(warnings(settings({ head: JSON.stringify({ node }) }))).to.deep.equal([]);
    });
  }
});

describe("Pulumi.yaml and Pulumi.dev.yaml", () => {
  const declared = parse(read("Pulumi.yaml")).config as Record<
    string,
    { type: string; default?: unknown; description: string }
  >;

  it("declare the same keys with the same defaults as the program", () => {
    expect(Object.keys(declared)).to.deep.equal(Object.keys(KEYS));
    for (const [name, key] of Object.entries<{ default?: string }>(KEYS)) {
      const fallback = declared[name]?.default;
      const text = typeof fallback === "string" || fallback === undefined ? fallback : JSON.stringify(fallback);
      expect(text, name).to.equal(key.default);
      expect(declared[name]?.description, name).to.match(/^[A-Z{].{10,}/);
    }
  });

  it("hold a throw-away stack for a test network that is right as it stands", () => {
    const found = parseSettings(readStackFile(read("Pulumi.dev.yaml"), "tezos-signer"), "dev");
    expect(found.production).to.equal(false);
    expect(found.chains).to.deep.equal(["NetXsqzbfFenSTS"]);
    expect(found.sshPublicKey).to.equal(EXAMPLE_SSH_KEY);
  });

  it("are refused where a value is encrypted, since only Pulumi could read it", () => {
    const text = "config:\n  tezos-signer:bakerIp:\n    secure: v1:abc";
    expect(() => readStackFile(text, "tezos-signer")).to.throw(/encrypted/);
  });
});
