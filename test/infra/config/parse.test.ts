import { expect } from "chai";
import fc from "fast-check";
import { ConfigurationError } from "../../../infra/config/parse.ts";
import { KEYS } from "../../../infra/config/schema.ts";
import { EXAMPLE_SSH_KEY } from "../../../infra/config/ssh-key.ts";
import { EVERYTHING, keysIn, LEAST, settings } from "../../fixtures/stack-configs.ts";
import { CLIENT, mistakes, told } from "./told.ts";

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

  it("takes a node on the machine itself, however its address is written", () => {
    for (const host of ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]) {
      expect(told({ ...LEAST, head: `{"node":"http://${host}:8732"}` }), host).to.deep.equal([]);
    }
  });

  it("is refused where it is longer than what Azure tells a machine", () => {
    const clients = (count: number) => JSON.stringify(Array(count).fill(CLIENT));
    expect(told({ ...LEAST, authorizedKeys: clients(800) })).to.deep.equal([]);
    const [line, ...more] = told({ ...LEAST, authorizedKeys: clients(900) });
    expect(line).to.match(/^the signer's settings: the machine would be told \d+ bytes, and Azure takes 48128: name/);
    expect(more).to.deep.equal([]);
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
      '    for example, in stacks/Pulumi.STACK.yaml: tezos-signer:chains: ["NetXdQprcVkpaWU"]',
    ]);
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
