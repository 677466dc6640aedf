import { expect } from "chai";
import { ConfigurationError } from "../../../infra/config/parse.ts";
import type { KeyName } from "../../../infra/config/schema.ts";
import { LEAST, SSH_KEY } from "../../fixtures/stack-configs.ts";
import { CLIENT, mended, mistakes, told } from "./told.ts";

const TZ3 = "tz3WXYtyDUNL91qfiCJtVUX746QpNv5i5ve5";

describe("the stack's configuration, key by key", () => {
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
    ["metricsIp", "84.20.16.0/23", /512 addresses; nothing wider than \/24 is taken$/],
    ["metricsIp", "0.0.0.0/0", /is the whole Internet|nothing wider/],
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
    ["keys", keys({ name: "undefined" }, { name: "undefined" }), "keys: undefined is listed twice"],
    // What is no name is told for each, and is not the same one twice.
    ...[null, {}, [], "", 7].map(
      (name) => ["keys", keys({ name }, { name }), /^keys\[0\].name: is not/, /^keys\[1\].name: is not/] as const,
    ),
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
    ["policy", '{"__proto__":{"allow":["block"]}}', /^policy: is not an object/],
    ["head", '{"node":"rpc.tzkt.io"}', /^head.node: must be a node's address, such as https/],
    ["head", '{"node":"http://20.1.1.1:8732"}', /^head.node: .*http: is for a private or loopback address only/],
    ["head", '{"node":"https://[2001:db8::5]:8732"}', /IPv6 address; the machine's network is IPv4/],
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
});
