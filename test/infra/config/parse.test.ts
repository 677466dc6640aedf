import { createHash } from "node:crypto";
import { b58DecodePublicKey } from "@taquito/utils";
import { expect } from "chai";
import fc from "fast-check";
import { EXAMPLE_CLIENT } from "../../../infra/config/example-client.ts";
import { ConfigurationError, type Mistake, parseConfig } from "../../../infra/config/parse.ts";
import { KEYS, type KeyName } from "../../../infra/config/schema.ts";
import { EXAMPLE_SSH_KEY } from "../../../infra/config/ssh-key.ts";
import { EVERYTHING, keysIn, LEAST, SSH_KEY, settings } from "../../fixtures/stack-configs.ts";

const CLIENT = "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav";
const TZ3 = "tz3WXYtyDUNL91qfiCJtVUX746QpNv5i5ve5";

/** Mistakes of a configuration. */
function mistakes(config: Readonly<Record<string, string>>): readonly Mistake[] {
  try {
    parseConfig(config, "dev");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.mistakes;
  }
}

/** What the capitals of an example and its one command stand for. */
const OWN = { ADDRESS: "84.20.17.5", "[KEY]": `["${CLIENT}"]`, '"$(cat ~/.ssh/id_ed25519.pub)"': SSH_KEY };

/** A configuration after its reader did what the examples below its mistakes say, one after the other. */
function mended(config: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const followed: Record<string, string> = { ...config };
  for (const example of new Set(mistakes(config).map(({ example }) => example))) {
    const [, removed] = /^remove it: pulumi config rm (\S+)$/.exec(example) ?? [];
    const [, name, value] =
      /^for example(?:: pulumi config set |, in Pulumi\.STACK\.yaml: tezos-signer:)(\w+):? (.+?)(?:, which .+)?$/.exec(
        example,
      ) ?? [];
    if (removed !== undefined) delete followed[removed];
    else if (name === undefined || value === undefined) throw new Error(`an example of another form: ${example}`);
    else followed[name] = OWN[value as keyof typeof OWN] ?? value;
  }
  return followed;
}

/** Mistakes of a configuration, a line each. */
const told = (config: Readonly<Record<string, string>>) =>
  mistakes(config).map(({ where, reason }) => `${where}: ${reason}`);

describe("the stack's configuration", () => {
  it("needs a location, the baker's address and an SSH key, and nothing else", () => {
    const missing = ["location: is missing", "bakerIp: is missing", "sshPublicKey: is missing"];
    expect(told({})).to.deep.equal(missing);
    expect(told({ location: "", bakerIp: "", sshPublicKey: "" })).to.deep.equal(missing);
    expect(told(LEAST)).to.deep.equal([]);
  });

  it("takes an empty value of a switch, a list or a choice for a mistake, as a variable that was not set leaves it", () => {
    const fields = {
      production: "",
      monitoring: "",
      redundancy: "",
      chains: "",
      keys: "",
      policy: "",
      head: "",
      tags: "",
    };
    for (const [name, value] of Object.entries({
      ...fields,
      initialise: "",
      keyImporter: "",
      confirm: "",
      vmSize: "",
    })) {
      const lines = told({ ...LEAST, [name]: value });
      expect(lines, name).not.to.deep.equal([]);
      for (const line of lines) expect(line, name).to.match(new RegExp(`^${name}: `));
    }
    const file = keysIn("config:\n  tezos-signer:production:\n");
    expect(told({ ...LEAST, ...file })[0]).to.match(/^production: is neither true nor false/);
  });

  it("shows no secret, wherever it was pasted", () => {
    const secret = "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh";
    const pasted: readonly Readonly<Record<string, string>>[] = [
      { policy: JSON.stringify({ [secret]: { allow: ["block"] } }) },
      { [secret]: "true" },
      { head: '{"node":"https://baker:hunter2@node.example.org"}' },
      { authorizedKeys: JSON.stringify([secret]) },
      { image: secret },
      { policy: JSON.stringify({ default: { allow: [], [secret]: 1 } }) },
      { keyImporter: JSON.stringify({ [secret]: secret }) },
    ];
    for (const config of pasted) {
      expect(() => settings(config), JSON.stringify(config))
        .to.throw(ConfigurationError)
        .with.property("message")
        .that.does.not.match(/edsk3gU|hunter2/);
    }
  });

  it("takes an object with nothing in it for none, however it is spelled", () => {
    for (const name of ["policy", "head", "initialise", "keyImporter"]) {
      expect(settings({ [name]: "{ }" }), name).to.deep.equal(settings());
    }
  });

  it("fills in what is not set", () => {
    const found = settings();
    expect(found).to.include({ vmSize: "Standard_B1s", production: false, monitoring: false, redundancy: "LRS" });
    expect(found.image).to.include({ publisher: "Canonical", sku: "server" });
    expect(found.chains).to.deep.equal(["NetXdQprcVkpaWU"]);
    expect(found.keyImporter).to.equal(undefined);
  });

  it("takes everything at once", () => {
    const found = settings(EVERYTHING);
    expect(found.keyImporter).to.deep.equal({ objectId: "aaaaaaaa-1111-4222-8333-444444444444", ip: "84.20.19.2" });
    expect(found.keys.map(({ name, curve }) => `${name} ${curve}`)).to.deep.equal([
      "consensus P-256",
      "manager P-256K",
    ]);
  });

  it("takes addresses as a list as well as separated by commas", () => {
    const texts = (bakerIp: string) => settings({ bakerIp }).bakerIp.map(({ text }) => text);
    expect(texts('["84.20.17.5","84.20.18.0/28"]')).to.deep.equal(texts("84.20.17.5, 84.20.18.0/28"));
    const file = keysIn("config:\n  tezos-signer:bakerIp: [84.20.17.5, 84.20.17.6]");
    expect(texts(file.bakerIp ?? "")).to.deep.equal(["84.20.17.5", "84.20.17.6"]);
  });

  it("takes a wide block where that is said to be meant", () => {
    expect(told({ ...LEAST, bakerIp: "84.20.16.0/23", allowWideBakerIp: "true" })).to.deep.equal([]);
  });

  it("keeps what goes to the signer as it was written, with no default filled in", () => {
    const until = "2026-11-20T16:00:00Z";
    const found = settings({ head: '{"node":"https://rpc.tzkt.io"}', initialise: JSON.stringify({ level: 9, until }) });
    expect(found.head).to.deep.equal({ node: "https://rpc.tzkt.io" });
    expect(found.initialise).to.deep.equal({ level: 9, until });
  });

  const importer = (more: object) => JSON.stringify({ objectId: "aaaaaaaa-1111-4222-8333-444444444444", ...more });
  const keys = (...entries: object[]) =>
    JSON.stringify(entries.map((entry) => ({ curve: "P-256", source: "generate", ...entry })));

  const wrong: readonly (readonly [key: KeyName, value: string, ...lines: (string | RegExp)[]])[] = [
    ["location", "North Europe", "location: is not a region's identifier; did you mean northeurope?"],
    ["location", "nrtheurope", "location: is not a region's identifier; did you mean northeurope?"],
    ["location", "Mars Base", "location: is not a region's identifier; `az account list-locations` prints them"],
    ["location", "wsteuropa", "location: is not a region's identifier; did you mean westeurope?"],
    ["location", "usgovvirginia", /^location: is a region of Azure Government, a cloud of its own/],
    ["location", "usdodeast", /Azure Government/],
    ["location", "chinaeast2", /^location: is a region of Azure China, a cloud of its own/],
    ["bakerIp", "0.0.0.0/0", /whole Internet/],
    ["bakerIp", "10.0.0.4,84.20.17.5,84.20.17.256", "bakerIp: 10.0.0.4 is private", /^bakerIp: 84.20.17.256 is not/],
    ["bakerIp", '["84.20.17.5","10.0.0.4"]', "bakerIp: 10.0.0.4 is private"],
    ["bakerIp", "[]", "bakerIp: is empty: the signer would be open to nobody"],
    ["bakerIp", "[84]", /^bakerIp\[0\]: is not text/],
    ["bakerIp", "84.20.16.0/23", /512 addresses.*set allowWideBakerIp to true$/],
    ["adminIp", "84.20.16.0/23", /512 addresses; nothing wider than \/24 is taken$/],
    ["adminIp", "*", /is not an IPv4 address/],
    ["allowWideBakerIp", "yes", "allowWideBakerIp: is neither true nor false; did you mean true?"],
    ["keyImporter", '{"objectId":"me","ip":"84.20.19.2"}', /^keyImporter.objectId: is not a GUID/],
    ["keyImporter", importer({}), /^keyImporter.ip: is missing/],
    ["keyImporter", importer({ ip: "84.20.19.0/28" }), "keyImporter.ip: is one address, not a block or list"],
    ["keyImporter", importer({ ip: "10.0.0.4" }), "keyImporter.ip: 10.0.0.4 is private"],
    ["keyImporter", importer({ ip: "84.20.19.2", name: "x" }), "keyImporter: name is unknown; it takes objectId, ip"],
    [
      "keyImporter",
      '{"IP":"x","who":"me"}',
      /objectId: is missing/,
      "keyImporter: IP is unknown; did you mean ip?",
      "keyImporter: who is unknown; it takes objectId, ip",
    ],
    ["sshPublicKey", "ecdsa-sha2-nistp256 AAAA", /Ed25519 or RSA/],
    ["sshPublicKey", `${SSH_KEY.slice(0, 60)}`, /damaged|cut short/],
    ["sshPublicKey", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDL", /damaged|fewer than 2048/],
    [
      "sshPublicKey",
      "~/.ssh/id_ed25519.pub",
      /is a file's name; give what is in it: "\$\(cat ~\/.ssh\/id_ed25519.pub\)"$/,
    ],
    ["vmSize", "Tiny", "vmSize: is not a size's name, which begins with Standard_"],
    ...["B1s", "standard_b1s", "STANDARD_B1S", "Standard-B1s"].map(
      (size) =>
        [
          "vmSize",
          size,
          "vmSize: is not a size's name, which begins with Standard_; did you mean Standard_B1s?",
        ] as const,
    ),
    ["vmSize", "Standard_B2ATS_V2", /did you mean Standard_B2ats_v2\?$/],
    [
      "vmSize",
      "Standard_B2pts_v2",
      "image: is for x64, and Standard_B2pts_v2 has an Arm processor; take Canonical:ubuntu-24_04-lts:server-arm64:latest",
    ],
    ["image", "Ubuntu2404", /publisher:offer:sku:version/],
    [
      "image",
      "Canonical:ubuntu-24_04-lts:server-arm64:latest",
      /^image: is for Arm, and Standard_B1s has an x64 processor/,
    ],
    [
      "image",
      "Canonical:ubuntu-24_04-lts:server-gen1:latest",
      /generation 1.*take Canonical:ubuntu-24_04-lts:server:latest$/,
    ],
    [
      "image",
      "Canonical:0001-com-ubuntu-server-jammy:22_04-lts:latest",
      /take Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest$/,
    ],
    ["redundancy", "GRS", "redundancy: is none of LRS, ZRS"],
    ["redundancy", "zrs", "redundancy: is none of LRS, ZRS; did you mean ZRS?"],
    ["redundancy", "Standard_LRS", "redundancy: is none of LRS, ZRS; did you mean LRS?"],
    ["keys", "baker", "keys: is not a list"],
    ["keys", '["baker"]', "keys[0]: is not an object"],
    ["keys", keys({ name: "my key" }), "keys[0].name: is not 1-127 letters, digits and hyphens"],
    ["keys", keys({ name: "k", curve: "Ed25519" }), "keys[0].curve: is neither P-256 (tz3) nor P-256K (tz2)"],
    ["keys", keys({ name: "k", curve: "secp256k1" }), /^keys\[0\].curve: .*; did you mean P-256K\?$/],
    ["keys", keys({ name: "k", curve: "p256" }), /^keys\[0\].curve: .*; did you mean P-256\?$/],
    ["keys", keys({ name: "k", source: "import" }), /^keys\[0\].source: .*imported, not listed/],
    ["keys", keys({ name: "k", source: "Generate" }), /^keys\[0\].source: .*; did you mean generate\?$/],
    ["keys", '[{"Name":"k","curve":"P-256"}]', /source: is missing/, "keys[0]: Name is unknown; did you mean name?"],
    ["keys", '[{"name":"_","curve":"x","source":"y"}]', /\.name/, /\.curve/, /\.source/],
    ["keys", keys({ name: "k" }, { name: "K", curve: "P-256K" }), "keys: K is listed twice"],
    ["keys", keys({ name: "k" }, { name: "k", curve: "x" }), /keys\[1\].curve/, "keys: k is listed twice"],
    ["chains", "[]", /is empty/],
    ["chains", "NetXdQprcVkpaWU", "chains: is not a list"],
    ["chains", '["mainnet"]', "chains[0]: is not a chain id, Net and 12 characters; did you mean NetXdQprcVkpaWU?"],
    ["chains", '["NetXdQprcVkpaWV"]', "chains[0]: has a mistyped character; did you mean NetXdQprcVkpaWU?"],
    ["initialise", '{"level":0,"until":"2026-11-20T16:00:00Z"}', "initialise.level: must be at least 1"],
    ["initialise", '{"level":9,"until":"tomorrow"}', /^initialise.until: must be a time such as/],
    ["initialise", '{"level":9,"until":"2026-11-20T16:00:00+01:00"}', /^initialise.until: is not a time in UTC/],
    ["initialise", '{"level":9,"until":"2999-01-01T00:00:00Z"}', /more than 24 hours ahead/],
    ["initialise", '{"level":"head","until":"tomorrow"}', /^initialise.level/, /^initialise.until/],
    ["initialise", "always", "initialise: is not an object"],
    [
      "initialise",
      '{"level":"9123456","until":"2026-11-20T16:00:00Z"}',
      "initialise.level: is not a number; write it without quotes",
    ],
    ["initialise", '{"level":9.5,"until":"2026-11-20T16:00:00Z"}', "initialise.level: is not a whole number"],
    ["keyImporter", '{"objectId":1,"ip":2}', /objectId: is not text; put it into quotes/, /ip: is not text; put it/],
    ["policy", '{"default":[]}', "policy.default: is not an object"],
    ["policy", '{"default":{"allow":["blocks"]}}', "policy.default.allow[0]: is not known; did you mean block?"],
    [
      "policy",
      '{"default":{"allow":["hammer"]}}',
      "policy.default.allow[0]: is not known; docs/reference/settings.md lists what is",
    ],
    [
      "policy",
      '{"default":{"allow":["block"],"deny":[]}}',
      "policy.default: deny is unknown; it takes allow, confirm, authentication, chains",
    ],
    ["policy", '{"default":{"alow":["block"]}}', "policy.default: alow is unknown; did you mean allow?"],
    [
      "policy",
      '{"allow":["block"]}',
      "policy.allow: is a part of a rule; put it under default, or under a key's address",
    ],
    [
      "policy",
      '{"confirm":["reveal"],"default":{"allow":[]}}',
      /^policy.confirm: is a part of a rule; put it under default/,
    ],
    ["policy", '{"Default":{"allow":[]}}', /^policy.Default: is neither default nor a key's address: /],
    ["policy", `{"${TZ3.slice(0, -1)}6":{"allow":[]}}`, /^policy.tz3.*: expected tz2 or tz3 in base58check/],
    [
      "policy",
      `{"${TZ3.slice(0, -1)}6":{"allow":["blocks"],"chains":["mainnet"]},"default":{"allow":["attestion"]}}`,
      /^policy.tz3.*.allow\[0\]: is not known; did you mean block\?/,
      /^policy.tz3.*.chains\[0\]: .*; did you mean NetXdQprcVkpaWU\?/,
      "policy.default.allow[0]: is not known; did you mean attestation?",
      /^policy.tz3.*: expected tz2 or tz3 in base58check/,
    ],
    [
      "policy",
      '{"default":{"allow":["block"],"confirm":["attestation"]}}',
      /^policy: the signer refuses policy.default.confirm: attestation cannot wait/,
    ],
    [
      "policy",
      '{"default":{"allow":["block"],"authentication":true}}',
      "policy: default.authentication wants a client's signature, and authorizedKeys names no client's key",
    ],
    ["confirm", '["transfer"]', "confirm[0]: is not known; did you mean transaction?"],
    ["confirm", '["block"]', "confirm[0]: cannot wait for a person"],
    ["confirm", '["block","blocks"]', /^confirm\[0\]/, /^confirm\[1\]/],
    ["authorizedKeys", '["tz1"]', /^authorizedKeys\[0\]: expected edpk, sppk or p2pk/],
    [
      "authorizedKeys",
      `["tz1",1,"${CLIENT}"]`,
      /^authorizedKeys\[0\]/,
      "authorizedKeys[1]: is not text; put it into quotes",
    ],
    ["authorizedKeys", CLIENT, "authorizedKeys: is neither a list of public keys nor none"],
    ["authorizedKeys", "None", "authorizedKeys: is neither a list of public keys nor none; did you mean none?"],
    ["authorizedKeys", '["None"]', /^authorizedKeys\[0\]: is no public key; `authorizedKeys: none`, without a list, /],
    ["head", '{"node":"rpc.tzkt.io"}', /^head.node: must be a node's address, such as https/],
    ["head", '{"node":"http://20.1.1.1:8732"}', /^head.node: .*http: for a private address only/],
    ["head", '{"node":"https://[::ffff:10.0.0.5]:8732"}', /IPv6 address; the machine's network is IPv4/],
    ["head", '{"node":"https://rpc.tzkt.io","maxbehind":3}', /^head: maxbehind is unknown; did you mean maxBehind\?/],
    ["head", '{"node":"https://rpc.tzkt.io","whenUnknown":"stop"}', "head.whenUnknown: is none of sign, refuse"],
    ["head", '{"node":"https://rpc.tzkt.io","whenUnknown":"Refuse"}', /none of sign, refuse; did you mean refuse\?$/],
    ["head", '{"node":"https://rpc.tzkt.io","maxAge":1}', "head.maxAge: must be at least 10"],
    ["production", "maybe", "production: is neither true nor false"],
    ["alertEmail", "baker@example.org", /need monitoring/],
    ["alertEmail", "baker", "alertEmail: is not an e-mail address", /need monitoring/],
    ["tags", '["a"]', "tags: is not an object"],
    ["tags", '{"a/b":"c"}', /^tags.a\/b: is no tag name: <>%&\\\?\/ are not taken$/],
    ["tags", '{"a":1}', "tags.a: is not a text; put it into quotes"],
    ["tags", JSON.stringify({ a: "x".repeat(257) }), "tags.a: is not a text of up to 256 characters"],
    ["tags", JSON.stringify({ ["x".repeat(129)]: "b" }), /has no name of 1 to 128 characters$/],
    ["tags", '{"Stack":"x"}', "tags.Stack: is a tag of the stack's own; take another name"],
    ["tags", '{"owner":"x","Owner":"y"}', "tags.Owner: is there twice: Azure takes no notice of case"],
    ["tags", '{"microsoft-x":"y"}', "tags.microsoft-x: begins with a word that Azure keeps for itself"],
    [
      "tags",
      JSON.stringify(Object.fromEntries(Array.from({ length: 48 }, (_, at) => [`t${at}`, "x"]))),
      /^tags: are 48; Azure takes 50/,
    ],
  ];
  for (const [key, value, ...expected] of wrong) {
    it(`refuses ${key} = ${value.slice(0, 70)}`, () => {
      const config = { ...LEAST, [key]: value };
      const lines = told(config);
      expect(lines, lines.join("\n")).to.have.length(expected.length);
      for (const [index, each] of expected.entries()) {
        if (typeof each === "string") expect(lines[index]).to.equal(each);
        else expect(lines[index]).to.match(each);
      }
      const left = told(mended(config)).filter((line) => line.startsWith(key));
      expect(left, "once its examples were followed").to.deep.equal([]);
      for (const line of new ConfigurationError(mistakes(config)).message.split("\n")) {
        expect(line.length, line).to.be.lessThan(320);
      }
    });
  }

  it("tells all 19 mistakes of a file in one round, and what its wrong values contradict", () => {
    const file = `config:
  tezos-signer:location: nrtheurope
  tezos-signer:bakerIp: 203.0.113.300
  tezos-signer:sshPublicKey: ~/.ssh/id_ed25519.pub
  tezos-signer:chain: [NetXsqzbfFenSTS]
  tezos-signer:chains: [NetXwrong]
  tezos-signer:production: yes
  tezos-signer:alertEmail: me
  tezos-signer:adminIp: 10.0.0.1
  tezos-signer:vmSize: Tiny
  tezos-signer:redundancy: GRS
  tezos-signer:policy: { default: { allow: [blocks, attestation] } }
  tezos-signer:confirm: [transfer]
  tezos-signer:keys: [{ name: baker_1, curve: ed25519, source: make }]
  tezos-signer:head: { node: "http://20.1.1.1:8732" }
  tezos-signer:authorizedKeys: [edpkwrong]
  tezos-signer:initialise: { level: head, until: tomorrow }
`;
    const config = keysIn(file);
    expect(mistakes(config).map(({ where }) => where)).to.deep.equal([
      "chain",
      "location",
      "bakerIp",
      "adminIp",
      "sshPublicKey",
      "vmSize",
      "redundancy",
      "keys[0].name",
      "keys[0].curve",
      "keys[0].source",
      "chains[0]",
      "initialise.level",
      "initialise.until",
      "policy.default.allow[0]",
      "confirm[0]",
      "confirm", // beside a policy
      "authorizedKeys[0]",
      "head.node",
      "production",
      "alertEmail",
      "alertEmail", // without monitoring
    ]);
    const { chain, confirm, ...rest } = config;
    const mended = {
      ...rest,
      ...LEAST,
      chains: '["NetXsqzbfFenSTS"]',
      production: "true",
      monitoring: "true",
      alertEmail: "me@example.org",
      adminIp: "84.20.19.1",
      vmSize: "Standard_B1s",
      redundancy: "ZRS",
      policy: '{"default":{"allow":["block","attestation"],"confirm":["transaction"]}}',
      keys: '[{"name":"baker-1","curve":"P-256","source":"generate"}]',
      head: '{"node":"https://rpc.tzkt.io"}',
      authorizedKeys: `["${CLIENT}"]`,
      initialise: '{"level":9123456,"until":"2026-11-20T16:00:00Z"}',
    };
    expect(told(mended)).to.deep.equal([]);
  });

  it("says in one line what is wrong, where, and what to write instead, and adds an example for each key", () => {
    const config = { ...LEAST, bakerIp: "10.0.0.4", vmSize: "B1s", chains: '["mainnet","x"]', vmsize: "B1s" };
    expect(new ConfigurationError(mistakes(config)).message.split("\n")).to.deep.equal([
      "the stack's configuration has 5 mistakes; nothing was changed",
      "  vmsize: no such key; did you mean vmSize?",
      "    remove it: pulumi config rm vmsize",
      "  bakerIp: 10.0.0.4 is private",
      "    for example: pulumi config set bakerIp 203.0.113.7",
      "  vmSize = B1s: is not a size's name, which begins with Standard_; did you mean Standard_B1s?",
      "    for example: pulumi config set vmSize Standard_B1s",
      "  chains[0] = mainnet: is not a chain id, Net and 12 characters; did you mean NetXdQprcVkpaWU?",
      "  chains[1] = x: is not a chain id, Net and 12 characters",
      '    for example, in Pulumi.STACK.yaml: tezos-signer:chains: ["NetXdQprcVkpaWU"]',
    ]);
  });

  it("gives examples that fit the other values, and never the value that it refused", () => {
    for (const config of [
      { vmSize: "Standard_B2pts_v2" },
      { vmSize: "Standard_B2pts_v2", image: "Canonical:ubuntu-24_04-lts:server-gen1:latest" },
      { vmSize: "Tiny", image: "Canonical:ubuntu-24_04-lts:server-arm64:latest" },
      { alertEmail: "baker@example.org" },
      { alertEmail: "baker" },
      { policy: '{"default":{"allow":["block"]}}', confirm: '["transaction"]' },
      { policy: '{"default":{"allow":["block"]}}', confirm: "[1]" },
      { policy: '{"default":{"allow":["block"],"authentication":true}}', authorizedKeys: "none" },
      { redundancy: "lrs", production: "no", location: "wsteurope", chains: "NetXsqzbfFenSTS" },
    ]) {
      expect(told({ ...LEAST, ...config }), JSON.stringify(config)).not.to.deep.equal([]);
      expect(told(mended({ ...LEAST, ...config })), JSON.stringify(config)).to.deep.equal([]);
    }
    const slips = { ...LEAST, redundancy: "lrs", production: "no", location: "wsteurope", chains: "NetXsqzbfFenSTS" };
    expect(settings(mended(slips))).to.include({ redundancy: "LRS", production: false, location: "westeurope" });
    expect(settings(mended(slips)).chains).to.deep.equal(["NetXsqzbfFenSTS"]);
  });

  it("gives an example of a first watermark whose time has not passed", () => {
    const [{ example } = { example: "" }] = mistakes({ ...LEAST, initialise: "soon" });
    expect(Date.parse(/"until":"([^"]+)"/.exec(example)?.[1] ?? "")).to.be.greaterThan(Date.now());
  });

  it("tells a mistake once, though other keys or fields look wrong by it", () => {
    const { bakerIp: _, ...withoutBaker } = LEAST;
    const twoRules = '{"default":{"allow":["block"],"authentication":true}}';
    for (const [config, ...expected] of [
      [{ ...withoutBaker, bakerip: "84.20.17.5" }, "bakerip: no such key; did you mean bakerIp?"],
      [
        { ...withoutBaker, bakerip: "10.0.0.4" },
        "bakerip: no such key; did you mean bakerIp?",
        "bakerIp: 10.0.0.4 is private",
      ],
      [
        { ...LEAST, monitorng: "true", alertEmail: "me@example.org" },
        "monitorng: no such key; did you mean monitoring?",
      ],
      [
        { ...LEAST, monitorng: "true", monitoring: "false", alertEmail: "me@example.org" },
        "monitorng: no such key; did you mean monitoring?",
      ],
      [
        { ...LEAST, production: "true", authorizedKey: `["${CLIENT}"]` },
        "authorizedKey: no such key; did you mean authorizedKeys?",
      ],
      [{ ...LEAST, production: "true", policy: twoRules }, /^authorizedKeys: is missing/],
    ] as const) {
      const lines = told(config);
      expect(lines, lines.join("\n")).to.have.length(expected.length);
      for (const [index, each] of expected.entries()) {
        if (typeof each === "string") expect(lines[index]).to.equal(each);
        else expect(lines[index]).to.match(each);
      }
    }
  });

  it("is told with its warnings where it has mistakes too, but for those that a mistake gives rise to", () => {
    const config = {
      ...LEAST,
      bakerIp: "203.0.113.7",
      production: "no",
      monitoring: "yes",
      vmSize: "Tiny",
      keys: '[{"name":"baker","curve":"P-256","source":"generate"}]',
    };
    expect(() => settings(config))
      .to.throw(ConfigurationError)
      .with.property("message")
      .that.matches(/^the stack's configuration has 3 mistakes; nothing was changed\n/)
      .and.satisfies((message: string) =>
        message.endsWith(
          [
            "\nand 2 warnings",
            "  203.0.113.7 is reserved for documentation (RFC 5737): set bakerIp to your baker's address",
            "  the key baker is made in the HSM and has no backup: if the vault is lost, so is the key",
          ].join("\n"),
        ),
      );
  });

  it("never shows a private key, wherever it was given", () => {
    const pem = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----";
    const edsk = "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh";
    for (const config of [
      { sshPublicKey: pem },
      { bakerIp: pem },
      { vmSize: pem },
      { authorizedKeys: JSON.stringify([edsk]) },
      { authorizedKeys: edsk },
      { bakerIp: edsk },
    ]) {
      const found = mistakes({ ...LEAST, ...config });
      expect(found).to.have.length(1);
      expect(JSON.stringify(found) + new ConfigurationError(found).message)
        .to.match(/\(a (private|secret) key, not shown\)/)
        .and.not.to.match(/b3Blb|edsk3/);
    }
  });

  it("refuses a key that is not known, guesses what was meant, and lists no names", () => {
    const reason = (name: string) => mistakes({ ...LEAST, [name]: "x" })[0]?.reason;
    expect(reason("vmsize")).to.equal("no such key; did you mean vmSize?");
    expect(reason("chain")).to.equal("no such key; did you mean chains?");
    expect(reason("operator")).to.equal("no such key; did you mean keyImporter?");
    expect(reason("hammer")).to.equal("no such key; Pulumi.yaml lists them");
    expect(reason("toString")).to.equal("no such key; Pulumi.yaml lists them");
  });

  it("is taken or refused in our own words, whatever is in it", () => {
    const word = fc.constantFrom(
      "default",
      "allow",
      "node",
      "level",
      "until",
      "name",
      "ip",
      "block",
      "Standard_B1s",
      "",
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.jsonValue({ maxDepth: 1 }),
        word,
        tie("list"),
        tie("object"),
      ),
      list: fc.array(tie("value"), { maxLength: 3 }),
      object: fc.dictionary(word, tie("value"), { maxKeys: 3 }),
    }));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(KEYS)), value, (key, found) => {
        for (const line of told({ ...LEAST, [key]: typeof found === "string" ? found : JSON.stringify(found) })) {
          expect(line).not.to.match(/undefined|\[object|Invalid|Too (big|small)|expected (?!(tz2|edpk|Net))/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("accepts each key's own example", () => {
    for (const [key, { example }] of Object.entries(KEYS)) {
      if (key === "sshPublicKey") continue; // a command that reads the file
      const more = {
        ...(key === "alertEmail" ? { monitoring: "true" } : {}),
        ...(key === "production" ? { authorizedKeys: "none" } : {}),
      };
      expect(told({ ...LEAST, ...more, [key]: example }), key).to.deep.equal([]);
    }
  });

  it("takes Arm's image on Arm's size", () => {
    const arm = { vmSize: "Standard_D2ps_v5", image: "Canonical:ubuntu-24_04-lts:server-arm64:latest" };
    expect(told({ ...LEAST, ...arm })).to.deep.equal([]);
    expect(told({ ...LEAST, vmSize: "Standard_NP10s" })).to.deep.equal([]);
    expect(told({ ...LEAST, vmSize: "Standard_D2s_v5" })).to.deep.equal([]);
  });

  it("refuses a policy and kinds to confirm beside it", () => {
    const both = { policy: '{"default":{"allow":["block"]}}', confirm: '["transaction"]' };
    expect(told({ ...LEAST, ...both })).to.deep.equal(["confirm: policy is set, so put confirm into it, beside allow"]);
  });
});

describe("a production stack's configuration", () => {
  const production = { ...LEAST, production: "true", authorizedKeys: `["${CLIENT}"]` };

  it("is refused with the examples' address and key", () => {
    expect(told({ ...production, bakerIp: "203.0.113.7", sshPublicKey: EXAMPLE_SSH_KEY })).to.deep.equal([
      "bakerIp: 203.0.113.7 is reserved for documentation (RFC 5737); a production stack needs the baker's own",
      "sshPublicKey: is the example; a production stack needs a key of yours",
    ]);
  });

  it("is refused with the example's client, whose key nobody has, and which is no key that anybody knows", () => {
    const sentence = createHash("sha256").update("tezos-signer: an example of a client that nobody is").digest("hex");
    expect(b58DecodePublicKey(EXAMPLE_CLIENT)).to.equal(`00${sentence}`); // 00 is Taquito's tag of Ed25519
    expect(told({ ...LEAST, authorizedKeys: `["${EXAMPLE_CLIENT}"]` })).to.deep.equal([]);
    expect(told({ ...production, authorizedKeys: `["${CLIENT}","${EXAMPLE_CLIENT}"]` })).to.deep.equal([
      `authorizedKeys: ${EXAMPLE_CLIENT} is the example; a production stack needs the key of its own client`,
    ]);
  });

  it("gets examples that it takes", () => {
    for (const config of [
      { bakerIp: "203.0.113.7" },
      { bakerIp: "10.0.0.4" },
      { sshPublicKey: EXAMPLE_SSH_KEY },
      { authorizedKeys: "[]" },
      { authorizedKeys: "None" },
      { authorizedKeys: CLIENT },
      { authorizedKeys: '["edpkwrong"]' },
      { authorizedKeys: `["${EXAMPLE_CLIENT}"]` },
      { initialise: '{"level":9,"until":"2999-01-01T00:00:00Z"}' },
      { keyImporter: "me" },
    ]) {
      expect(told({ ...production, ...config }), JSON.stringify(config)).not.to.deep.equal([]);
      expect(told(mended({ ...production, ...config })), JSON.stringify(config)).to.deep.equal([]);
    }
  });

  it("is refused without its clients' public keys, unless it says that it has none", () => {
    expect(told(production)).to.deep.equal([]);
    for (const authorizedKeys of ["[]", "[ ]"]) {
      const [line, ...more] = told({ ...production, authorizedKeys });
      expect(line).to.match(/^authorizedKeys: is missing: the way to the signer is plain HTTP over the Internet/);
      expect(line).to.include("can ask in the baker's name").and.to.include("`authorizedKeys: none`");
      expect(more).to.deep.equal([]);
    }
    expect(settings({ ...production, authorizedKeys: "none" }).authorizedKeys).to.equal("none");
  });

  it("is not told to have no clients' keys where they are mistyped", () => {
    expect(told({ ...production, authorizedKeys: '["edpkwrong"]' })).to.have.length(1);
  });
});
