import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { settingsCommand } from "../../../../signer/cli/settings/index.ts";
import { parseSettings } from "../../../../signer/settings/parse.ts";
import { OTHER, SOURCE } from "../../../fixtures/payloads.ts";
import { vectors } from "../../../fixtures/vectors.ts";
import { atTerminal } from "../../../harness/fake-terminal.ts";

const CLIENT = "edpkujLb5ZCZ2gprnRzE9aVHKZfx9A8EtWu2xxkwYSjBUJbesJ9rWE";
const ANOTHER = "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav";
const SECRET_KEY = vectors.keys.find((key: { pkh: string }) => key.pkh === SOURCE).sk as string;
/** What stands in the files of the other signers and may stand in nothing that is written of them. */
const SECRETS = ["hunter2", "s3cr3t-of-the-vault", "1234-5678", SECRET_KEY, "cosmos-master-key", "dXNlcjpwYXNz"];

const SIGNATORY = `
base_dir: /var/lib/sigy
server: { address: ":6732", utility_address: ":9583", authorized_keys: [${CLIENT}, [${ANOTHER}]] }
watermark: { driver: aws, config: { region: us-east-1, secret_access_key: dXNlcjpwYXNz } }
vaults:
  azure:
    driver: azure
    config:
      vault: https://sigy.vault.azure.net/
      tenant_id: 50c46f11-1d0a-4c56-b468-1bcb03a8f69e
      client_id: d5ccc5ea-8a1f-4dc1-9673-183a4c85e280
      client_secret: s3cr3t-of-the-vault
      resource_group: sigy
  spare: { driver: awskms, config: { region: us-west-2 } }
tezos:
  tz1Wz4ZabKRsz842Xuzy4a7CcWADfPVsPKus:
  ${SOURCE}:
    log_payloads: true
    authorized_keys: ${CLIENT}
    allow: { block: , attestation: , attestation_with_dal: , preattestation: , generic: [reveal, zk_rollup_publish] }
  ${OTHER}: { allow: { generic: [transaction] }, authorized_keys: [${CLIENT}] }
`;
const TOKEN = `
vaults:
  hsm:
    driver: pkcs11
    config:
      library_path: /usr/lib/softhsm/libsofthsm2.so
      pin: 1234-5678
      keys: [{ private: { label: baker } }, { private: { id: "01a0" } }]
tezos: { ${SOURCE}: }
`;

/** Ten lists, each ten times the one before it. */
const BILLION = `l0: &l0 [x]\n${Array.from({ length: 9 }, (_, at) => `l${at + 1}: &l${at + 1} [${Array(10).fill(`*l${at}`)}]\n`).join("")}`;

describe("settings convert", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "convert-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const said = (text: string) => text.replaceAll(/[\s#]+/g, " ");
  const file = (content: string, name = "original") => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const convert = (from: string, ...args: readonly string[]) =>
    atTerminal(settingsCommand, ["convert", "--from", from, ...args], null);

  it("writes settings with the report in comments above them, and tells the report beside them", async () => {
    const { code, stdout, stderr } = await convert("signatory", file(SIGNATORY));
    expect(code, stderr).to.equal(0);
    const settings = parseSettings(stdout, "converted");
    expect(settings.keys).to.include({ kind: "azure-key-vault", vault: "https://sigy.vault.azure.net" });
    expect(settings.authentication).to.deep.equal({ keys: [CLIENT] });
    expect([...settings.policy.keys.keys()]).to.deep.equal([SOURCE, OTHER]);
    expect(settings.listen).to.include({ host: "0.0.0.0", port: 6732 });
    for (const told of [
      "tezos.tz1Wz4ZabKRsz842Xuzy4a7CcWADfPVsPKus: this signer has tz2 and tz3 keys only",
      "vaults.azure.config.tenant_id, client_id, client_secret: no secret signs in here",
      "vaults.spare: one signer has one place for its keys",
      "zk_rollup_publish: is no operation that is signed here",
      "log_payloads: the log has each request's kind",
      "watermarks import --from signatory-dynamodb",
      "authorized_keys: one list is for all keys here",
      "server.utility_address: the admin port asks nobody",
    ]) {
      expect(said(stdout), told).to.include(told);
      expect(said(stderr), told).to.include(told);
    }
  });

  it("names a token's key by its id where label and id were asked for, since several may have the label", async () => {
    const both = TOKEN.replace("label: baker }", 'label: baker, id: "02" }');
    const { stdout, stderr } = await convert("signatory", file(both));
    expect(parseSettings(stdout, "converted").keys).to.deep.include({ include: ["id:02", "id:01a0"] });
    expect(said(stderr)).to.include("vaults.hsm.config.keys.0.private.label: is not asked for");
  });

  it("takes an admin port at any address of this computer for what it is", async () => {
    for (const host of ["localhost", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]"]) {
      const { code, stderr } = await convert("signatory", file(SIGNATORY.replace('":9583"', `"${host}:9583"`)));
      expect(code, host).to.equal(0);
      expect(said(stderr), host).not.to.include("the admin port asks nobody");
    }
  });

  it("writes into a new file, and over none", async () => {
    const out = join(folder, "settings.yaml");
    expect((await convert("signatory", file(TOKEN), "--out", out)).code).to.equal(0);
    const text = readFileSync(out, "utf8");
    expect(parseSettings(text, out).keys).to.deep.include({ kind: "pkcs11", include: ["baker", "id:01a0"] });
    expect((await convert("signatory", file(SIGNATORY), "--out", out)).code).to.equal(6);
    expect(readFileSync(out, "utf8")).to.equal(text);
  });

  for (const [from, ...contents] of [
    ["signatory", SIGNATORY],
    ["signatory", TOKEN],
    ["signatory", `vaults: { f: { driver: mem, config: [${SECRET_KEY}] } }\ntezos: { ${SOURCE}: }\n`],
    ["signatory", `vaults: { f: { driver: hunter2, config: { pin: hunter2 } } }\n`],
    ["octez-signer", `octez-signer -xhunter2 launch http signer\n`],
    ["lattejed", `AZURE_KEYVAULT_URI=https://mine.vault.azure.net node server.js --secret=hunter2\n`],
    ["signatory", `vaults: { azure: { driver: azure, config: { vault: 5, client_secret: hunter2 } } }\n`],
    [
      "tacoinfra",
      JSON.stringify({
        chain_ratchet: "mockery",
        keys: { [SECRET_KEY]: {}, p2pk1: { signer: "pkcs11_hsm", signer_args: ["baker"] } },
        policy: { baking: 1 },
        hsm_lib: "/lib/hsm.so",
        hsm_username: "resigner",
        hsm_password: "hunter2",
      }),
    ],
    ["tacoinfra", JSON.stringify({ chain_ratchet: "hunter2", keys: [SECRET_KEY], policy: "hunter2" })],
    ["tacoinfra", JSON.stringify({ chain_ratchet: "mockery", keys: { [`${SECRET_KEY}:pkcs11_hsm`]: {} }, policy: {} })],
    [
      "tezzigator",
      "config = {\n  'kv_name_domain': 'mine',\n  'node_addr': 'https://user:hunter2@node.example.org',\n  'cosmos_host': 'https://x.documents.azure.com',\n  'cosmos_key': 'cosmos-master-key',\n}\n",
    ],
    ["octez-signer", `octez-signer -f hunter2 -A launch http signer -W\n`, `[{"name": "a", "value": "${SECRET_KEY}"}]`],
    ["lattejed", `AZURE_KEYVAULT_URI=https://user:hunter2@mine.vault.azure.net node server.js\n`],
  ] as const) {
    it(`repeats nothing secret: ${from}, ${contents[0].replaceAll(/\s+/g, " ").trim().slice(0, 60)}`, async () => {
      const { stdout, stderr } = await convert(from, ...contents.map((content, at) => file(content, `file${at}`)));
      for (const secret of SECRETS) expect(stdout + stderr).not.to.include(secret);
      expect(stderr).not.to.match(/Unexpected error|Invalid input/);
    });
  }

  it("lets no name of the other file end a comment, or steer the terminal", async () => {
    const name = "a\\rkeys: b\\nkeys: c\\e[2J";
    const { stdout, stderr } = await convert("signatory", file(`"${name}": 1\ntezos: { ${SOURCE}: }\n`));
    expect(parseSettings(stdout, "converted").keys).to.deep.equal({ kind: "local", path: "keys" });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
    expect(stdout + stderr).not.to.match(/[\u0000-\u0009\u000b-\u001f]/);
  });

  for (const [what, from, contents, host, told] of [
    ["a JWT", "signatory", [`server: { jwt: { users: { a: { password: hunter2 } } } }\n`], "0.0.0.0", "server.jwt"],
    ["a policy hook", "signatory", ["policy_hook: { address: https://hook.example.org }\n"], "0.0.0.0", "policy_hook"],
    [
      "a missing node",
      "tezzigator",
      ["config = {\n 'kv_name_domain': 'mine',\n}\napp.run(host='0.0.0.0', port=5001)\n"],
      "0.0.0.0",
      "config.node_addr",
    ],
  ] as const) {
    it(`listens to its own computer alone in place of ${what}, which has no equivalent`, async () => {
      const { code, stdout, stderr } = await convert(from, ...contents.map((content) => file(content)));
      expect(code, stderr).to.equal(0);
      expect(parseSettings(stdout, "converted").listen.host).to.equal("127.0.0.1");
      expect(said(stderr)).to.include(`nothing stands in for ${told}`);
      expect(said(stderr)).to.include(`then set listen.host to ${host}`);
    });
  }

  it("takes whose signatures octez-signer asks for from its file authorized_keys, and is stuck without it", async () => {
    const unit = file(
      "[Service]\nExecStart=/usr/bin/octez-signer -A launch https signer cert.pem key.pem \\\n  -a 10.0.0.5 -W\n",
      "unit",
    );
    const { code, stderr } = await convert("octez-signer", unit);
    expect(code).to.equal(4);
    expect(said(stderr)).to.include(
      "--require-authentication: whose signatures it takes stands in BASE_DIR/authorized_keys",
    );
    const keys = file(JSON.stringify([{ name: "baker", value: CLIENT }]), "authorized_keys");
    const settings = parseSettings((await convert("octez-signer", unit, keys)).stdout, "converted");
    expect(settings.authentication).to.deep.equal({ keys: [CLIENT] });
    expect(settings.listen).to.deep.equal({ host: "10.0.0.5", port: 443, tls: { cert: "cert.pem", key: "key.pem" } });
  });

  it("keeps Tezio's addresses, and says that its client's key is not in its file", async () => {
    const original = `security: { remote_ip_check: True, auth_check: True, signing_policy_check: False, high_water_mark_check: True }
allowed_ips: ["127.0.0.1", "10.1.2.3"]
policy: { signing_keys: { ${SOURCE}: { curve_alias: 3, allowed_ops: [0x11], auth_req: True } } }
`;
    const { stdout, stderr } = await convert("tezio", file(original));
    const { allowedAddresses, keys } = parseSettings(stdout, "converted");
    expect(allowedAddresses).to.deep.equal(["127.0.0.1", "10.1.2.3"]);
    expect(keys).to.deep.equal({ kind: "tezio", device: "/dev/ttyACM0" });
    expect(said(stderr)).to.include("put the board's name in /dev/serial/by-id/ into keys.device");
    expect(said(stderr)).to.include("policy.auth_key: has the client's address only");
  });

  it("follows tezzigator's node as near as it did, and asks a person where it let its own computer do all", async () => {
    const original =
      "config = {\n    'kv_name_domain': 'mine',\n    'node_addr': 'http://127.0.0.1:8732',\n    # 'cosmos_host': 'x',\n}\napp.run(host='0.0.0.0', port=5001)\n";
    const settings = parseSettings((await convert("tezzigator", file(original))).stdout, "converted");
    expect(settings.head).to.include({ maxBehind: 120, maxAhead: 120, whenUnknown: "refuse" });
    expect(settings.listen).to.include({ host: "0.0.0.0", port: 5001 });
    expect(settings.policy.default?.confirm).to.include.members(["transaction", "pack"]);
  });

  for (const [from, content, ...places] of [
    [
      "signatory",
      `server: { tls: 1 }
vaults: { a: { driver: azure, confg: 1, config: { vault: "https://m.vault.azure.net", keyz: 1 } } }
watermark: { driver: mem, conf: 1 }
tezos: { ${SOURCE}: { allow: { block: }, only: 1 } }
`,
      ...["server.tls", "vaults.a.confg", "vaults.a.config.keyz", "watermark.conf", `tezos.${SOURCE}.only`],
    ],
    [
      "signatory",
      "vaults: { a: { driver: pkcs11, config: { library_path: /l.so, pins: 1 } } }",
      "vaults.a.config.pins",
    ],
    [
      "signatory",
      "vaults: { a: { driver: pkcs11, config: { library_path: /l.so, keys: [{ most: 1, private: { label: b, serial: 1 }, public: { token: 1 } }] } } }",
      ...[
        "vaults.a.config.keys.0.most",
        "vaults.a.config.keys.0.private.serial",
        "vaults.a.config.keys.0.public.token",
      ],
    ],
    [
      "tezio",
      `security: { remote_ip_check: True, auth_check: True, signing_policy_check: True, high_water_mark_check: True, hours: 1 }
allowed_ips: ["127.0.0.1"]
policy: { most: 1, signing_keys: { ${SOURCE}: { curve_alias: 3, allowed_ops: [0x11], auth_req: True, chain: 1 } } }
`,
      ...["security.hours", "policy.most", `policy.signing_keys.${SOURCE}.chain`],
    ],
    [
      "tacoinfra",
      JSON.stringify({
        chain_ratchet: "mockery",
        keys: { p2pk1: { signer: "pkcs11_hsm", signer_args: ["baker"], most: 1 } },
        policy: { baking: 1, only: 1 },
        hsm_lib: "/l.so",
      }),
      ...["policy.only", "keys.p2pk1.most"],
    ],
  ] as const) {
    it(`names what it does not know, however deep it stands: ${from}, ${places.join(", ")}`, async () => {
      const { code, stderr } = await convert(from, file(content));
      expect(code, stderr).to.equal(0);
      for (const place of places) expect(said(stderr)).to.include(`- ${place}: is no setting of that signer`);
    });
  }

  it("takes in what a mapping of YAML merges, as Go and Python do", async () => {
    const { stdout, stderr } = await convert(
      "signatory",
      file(
        `tezos:\n  ${SOURCE}: &rule { allow: { block: } }\n  ${OTHER}: { <<: *rule, allowed_chains: [NetXdQprcVkpaWU] }\n`,
      ),
    );
    const { keys } = parseSettings(stdout, "converted").policy;
    expect(keys.get(OTHER), stderr).to.deep.include({ allow: ["block"], chains: ["NetXdQprcVkpaWU"] });
  });

  for (const [what, from, content, ...sentences] of [
    ["a file of some megabytes", "octez-signer", "octez-signer ".repeat(200_000), "has more than 65536 characters"],
    [
      "aliases that multiply",
      "signatory",
      `${BILLION}tezos: { ${SOURCE}: }\n`,
      "its aliases (*NAME) lead nowhere, or are too many",
    ],
    [
      "an id that YAML takes for a number",
      "signatory",
      "vaults: { a: { driver: pkcs11, config: { library_path: /l.so, keys: [{ private: { id: 0102 } }] } } }",
      "keys.0.private.id: must be in quotes",
    ],
    [
      "a key that is not named",
      "signatory",
      "vaults: { a: { driver: pkcs11, config: { library_path: /l.so, keys: [{ public: { label: baker } }] } } }",
      "vaults.a.config.keys.0.private: has neither label nor id",
    ],
    [
      "a slot that is no number",
      "tacoinfra",
      '{"chain_ratchet": "mockery", "keys": [], "policy": {}, "hsm_slot": "x"}',
      "hsm_slot: must be a whole number",
    ],
    ["no YAML", "signatory", "a: [", "line 1, column"],
    ["a wrong type", "signatory", "server: { address: 5 }", "server.address: must be a text"],
    ["an address without a port", "signatory", 'server: { address: "0.0.0.0" }', "server.address: must be HOST:PORT"],
    [
      "a vote of no kind",
      "signatory",
      `tezos: { ${SOURCE}: { allow: { generic: ["ballot:aye"] } } }`,
      `tezos.${SOURCE}.allow.generic: ballot:… is yay, nay or pass`,
    ],
    [
      "keys whose clients differ",
      "signatory",
      `server: { authorized_keys: [${CLIENT}] }\ntezos: { ${SOURCE}: { authorized_keys: [${ANOTHER}] } }`,
      "no client's key is in the list of the server and of each key",
    ],
    [
      "a vault over plain HTTP",
      "signatory",
      "vaults: { a: { driver: azure, config: { vault: http://vault.example.org } } }",
      "keys.vault",
    ],
    [
      "a token without a library",
      "signatory",
      "vaults: { a: { driver: pkcs11, config: { pin: x } } }",
      "vaults.a.config.library_path: is missing",
    ],
    [
      "a ratchet of no kind",
      "tacoinfra",
      '{"chain_ratchet": "x", "keys": [], "policy": {}}',
      "chain_ratchet: must be mockery or dynamodb",
    ],
    [
      "a key without its label",
      "tacoinfra",
      '{"chain_ratchet": "mockery", "keys": ["p2pk1:pkcs11_hsm"], "policy": {}}',
      "keys.0: has no label",
    ],
    ["no dict", "tezzigator", "import os\n", "There is no `config = {…}`"],
    ["no vault", "tezzigator", "config = {\n}\n", "config.kv_name_domain: is missing"],
    ["no vault in the environment", "lattejed", "node server.js\n", "AZURE_KEYVAULT_URI: is missing"],
    [
      "an option of no kind",
      "lattejed",
      "AZURE_KEYVAULT_URI=https://m.vault.azure.net node server.js --adress=0.0.0.0\n",
      "--adress: there is no such option",
    ],
    ["no line that starts it", "octez-signer", "[Service]\n", "There is no line that starts it"],
    [
      "two lines that start it",
      "octez-signer",
      "octez-signer launch http signer\noctez-signer launch http signer -W\n",
      "2 lines start it (1, 2)",
    ],
    [
      "a socket",
      "octez-signer",
      "octez-signer launch socket signer\n",
      "launch socket signer: this signer speaks http and https",
    ],
    ["a port of no kind", "octez-signer", "octez-signer launch http signer -p none\n", "--port: must be a port"],
    [
      "magic bytes of no kind",
      "octez-signer",
      "octez-signer launch http signer -M block\n",
      "--magic-bytes: must be magic bytes",
    ],
    ["a config without its policy", "tezio", "allowed_ips: []\n", "security: is missing", "policy: is missing"],
  ] as const) {
    it(`says where it is stuck, and writes nothing: ${what}`, async () => {
      const out = join(folder, "settings.yaml");
      const { code, stderr } = await convert(from, file(content), "--out", out);
      expect(code).to.equal(4);
      for (const sentence of sentences) expect(said(stderr)).to.include(sentence);
      expect(() => readFileSync(out)).to.throw();
    });
  }

  it("says what to give instead of a file that is not there, or too many", async () => {
    const { code, stderr } = await convert("tacoinfra", join(folder, "nowhere.json"));
    expect(code).to.equal(4);
    expect(said(stderr)).to.include("Give its keys.json");
    expect((await convert("tacoinfra", file("{}"), file("{}"))).code).to.equal(2);
  });
});
