import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { parseSettings, SettingsError } from "../../../signer/settings/parse.ts";
import { settingsSchema } from "../../../signer/settings/schema.ts";
import { OPERATION_KINDS } from "../../../signer/tezos/payload/operation.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../../docs/reference/settings.md"), "utf8");

const MINIMAL = `
keys: { kind: local, path: keys }
watermarks: { kind: sqlite, path: watermarks.sqlite }
`;

function mistakes(text: string): readonly string[] {
  try {
    parseSettings(text, "settings.yaml");
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes;
    throw error;
  }
  return [];
}

interface Node {
  readonly properties?: Record<string, Node>;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

/** Every path that the schema knows, objects themselves left out unless they can be something else as well. */
function paths(node: Node, path = ""): string[] {
  const below = Object.entries(node.properties ?? {}).flatMap(([name, child]) => paths(child, `${path}.${name}`));
  const any = typeof node.additionalProperties === "object" ? paths(node.additionalProperties, `${path}.*`) : [];
  const choices = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  const inChoices = choices.flatMap((choice) => paths(choice, path));
  const inner = [...below, ...any, ...inChoices].filter((found) => found !== path);
  const isLeaf = inner.length === 0 || choices.some((choice) => choice.properties === undefined);
  return [...new Set(isLeaf ? [path, ...inner] : inner)];
}

describe("settings", () => {
  it("are exactly those of docs/reference/settings.md", () => {
    const schema = z.toJSONSchema(settingsSchema, { io: "input", unrepresentable: "any" }) as Node;
    const known = paths(schema).map((path) => path.slice(1));
    const listed = [...page.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name]) => name);
    expect(listed.toSorted()).to.deep.equal(known.toSorted());
  });

  it("name on their page exactly the operation kinds that can be allowed", () => {
    const line = page.split("\n").find((text) => text.startsWith("Operation kinds: ")) ?? "";
    const listed = [...(line.split(". ")[0] ?? "").matchAll(/`([a-z_]+)`/g)].map(([, kind]) => kind);
    expect(listed).to.deep.equal([...OPERATION_KINDS]);
  });

  it("have safe defaults", () => {
    const settings = parseSettings(MINIMAL, "settings.yaml");
    expect(settings.listen).to.deep.equal({ host: "127.0.0.1", port: 6732 });
    expect(settings.admin).to.deep.equal({ host: "127.0.0.1", port: 9583 });
    expect(settings.watermarks).to.include({ maxStep: 100 }).and.not.to.have.property("initialise");
    expect(settings.policy.default).to.equal(undefined);
    expect(settings.listKnownKeys).to.equal(false);
  });

  it("report every mistake at once, each with its path", () => {
    const found = mistakes(`
keys: { kind: local }
watermarks: { kind: sqlite, path: w, maxStep: 0 }
policy: { default: { allow: [transfer] } }
allowedAddresses: [10.0.0]
colour: blue`);
    expect(found).to.have.length(5);
    expect(found[0]).to.equal("keys.path: is missing");
    expect(found[1]).to.match(/^watermarks\.maxStep: /);
    expect(found[2]).to.match(/^policy\.default\.allow\.0: .*\(is "transfer"\)$/);
    expect(found[3]).to.match(/^allowedAddresses\.0: must be an IP address or range/);
    expect(found[4]).to.equal("colour: there is no such setting");
  });

  it("say what was meant by a name or a value where one is near, and where the known ones are listed", () => {
    const found = mistakes(`
listn: { port: 6732 }
keys: { kind: lcoal, path: keys }
watermarks: { kind: sqlite, path: w, maxstep: 5, colour: blue }
policy: { default: { allow: [blocks, endorsement, coffee], chians: [NetXdQprcVkpaWU] } }
head: { node: "https://node.example.org", whenUnknown: sing }`);
    expect(found).to.have.members([
      "listn: there is no such setting; did you mean listen?",
      "keys.kind: must be one of local, azure-key-vault, pkcs11, tezio; did you mean local?",
      "watermarks.maxstep: there is no such setting; did you mean maxStep?",
      "watermarks.colour: there is no such setting",
      'policy.default.allow.0: is not known; did you mean block? (is "blocks")',
      'policy.default.allow.1: is not known; did you mean attestation? (is "endorsement")',
      'policy.default.allow.2: is not known; docs/reference/settings.md lists what is (is "coffee")',
      "policy.default.chians: there is no such setting; did you mean chains?",
      'head.whenUnknown: must be one of sign, refuse; did you mean sign? (is "sing")',
    ]);
  });

  it("report what is wrong below a policy's name that is wrong as well, and what is no rule once", () => {
    const found = mistakes(`${MINIMAL}
policy: { tz3bad: { allow: [transfer], chains: [x] }, constructor: { allow: [] }, allow: [block], default: { allow: [endorse] } }`);
    const [first = "", second = "", third = "", ...names] = found;
    expect(first).to.match(/^policy\.tz3bad\.allow\.0: .*\(is "transfer"\)$/);
    expect(second).to.match(/^policy\.tz3bad\.chains\.0: expected Net/);
    expect(third).to.match(/^policy\.default\.allow\.0: /);
    expect(names).to.deep.equal([
      'policy.tz3bad: is neither default nor a key\'s address: expected tz2 or tz3 in base58check: too long, or a character is mistyped (is "tz3bad")',
      'policy.constructor: is neither default nor a key\'s address: expected tz2 or tz3 in base58check: too long, or a character is mistyped (is "constructor")',
      'policy.allow: is a part of a rule; put it under default, or under a key\'s address (is "allow")',
    ]);
    expect(mistakes(`${MINIMAL}\npolicy: [block]`)).to.have.length(1);
  });

  it("refuse a name that is given twice", () => {
    expect(mistakes(`${MINIMAL}\nkeys: { kind: local, path: other }`)[0]).to.match(/unique/);
  });

  it("refuse plain http to a vault elsewhere, and allow it to this computer", () => {
    const vault = (url: string) => `
keys: { kind: azure-key-vault, vault: "${url}" }
watermarks: { kind: sqlite, path: w }`;
    expect(mistakes(vault("http://name.vault.azure.net"))[0]).to.match(/^keys\.vault: must be the vault's address/);
    expect(mistakes(vault("https://name.vault.azure.net"))).to.deep.equal([]);
    expect(mistakes(vault("http://127.0.0.1:8200"))).to.deep.equal([]);
  });

  it("refuse a table's secondary endpoint, whose answers are old", () => {
    const table = (url: string) => `
keys: { kind: local, path: keys }
watermarks: { kind: azure-table, endpoint: "${url}", table: watermarks }`;
    expect(mistakes(table("https://account-secondary.table.core.windows.net"))[0]).to.match(/primary endpoint/);
    expect(mistakes(table("https://account.table.core.windows.net"))).to.deep.equal([]);
  });

  it("want the chains named where initialise makes their first rows", () => {
    const found = mistakes(`
keys: { kind: local, path: keys }
watermarks: { kind: sqlite, path: w, initialise: { level: 5, until: 2026-11-20T16:00:00Z } }
policy: { default: { allow: [block] } }`);
    expect(found).to.have.length(1);
    expect(found[0]).to.match(/^policy\.default\.chains: must name the chains/);
  });

  it("refuse a kind in two lists of a rule, and votes that wait for a person", () => {
    const found = mistakes(`${MINIMAL}
policy: { default: { allow: [reveal], confirm: [reveal, transaction, attestation] } }`);
    expect(found).to.deep.equal([
      "policy.default: reveal is in allow and in confirm; keep one",
      "policy.default.confirm: attestation cannot wait for a person; put it into allow",
    ]);
  });

  it("refuse authentication for a key where no client's key is named", () => {
    const found = mistakes(`${MINIMAL}\npolicy: { default: { allow: [], authentication: true } }`);
    expect(found).to.deep.equal([
      "policy.default.authentication: names no client's key; give them in authentication.keys",
    ]);
  });

  it("refuse an address with an interface's name, which no peer's address has", () => {
    expect(mistakes(`${MINIMAL}\nallowedAddresses: ["fe80::1%eth0"]`)[0]).to.match(
      /^allowedAddresses\.0: must be an IP/,
    );
    expect(mistakes(`${MINIMAL}\nallowedAddresses: ["fe80::1/64"]`)).to.deep.equal([]);
  });

  it("take a node by plain http at a private address only", () => {
    const head = (url: string) => mistakes(`${MINIMAL}\nhead: { node: "${url}" }`);
    for (const url of [
      "https://rpc.example.org",
      "http://10.1.2.3:8732",
      "http://localhost:8732",
      "http://[::1]:8732",
    ]) {
      expect(head(url), url).to.deep.equal([]);
    }
    for (const url of [
      "http://192.168.1.9",
      "http://172.31.0.1",
      "http://[fd00::1]:8732",
      "http://[::ffff:10.0.0.5]",
    ]) {
      expect(head(url), url).to.deep.equal([]);
    }
    for (const url of [
      "http://rpc.example.org",
      "http://10.example.org",
      "http://203.0.113.7",
      "http://172.32.0.1",
      "http://[2001:db8::1]",
      "http://[fe80::1]",
      "ftp://10.1.2.3",
    ]) {
      expect(head(url)[0], url).to.match(/^head\.node: must be a node's address/);
    }
  });

  /** Settings that name one URL, for each setting that is one. */
  const URLS = {
    "keys.vault": (url: string) =>
      `keys: { kind: azure-key-vault, vault: "${url}" }\nwatermarks: { kind: sqlite, path: w }`,
    "watermarks.endpoint": (url: string) =>
      `keys: { kind: local, path: keys }\nwatermarks: { kind: azure-table, endpoint: "${url}", table: watermarks }`,
    "head.node": (url: string) => `${MINIMAL}\nhead: { node: "${url}" }`,
  };

  for (const [name, settings] of Object.entries(URLS)) {
    for (const [url, fault] of [
      ["https://baker:sesame@host.example.org", "it has a user or a password, which are not taken"],
      ["https://sesame@host.example.org", "it has a user or a password, which are not taken"],
      ["https://baker:ses/ame@host.example.org", "it is no URL that begins with https://"],
      ["baker:sesame@host.example.org", "it is no URL that begins with https://"],
      ["https://host.example.org/?key=sesame", "it has a query (?), which is not taken"],
      ["https://host.example.org?key=sesame", "it has a query (?), which is not taken"],
      ["https://host.example.org/#part", "it has a part after #, which is not taken"],
      [" https://host.example.org", "it has a blank, a backslash or a character that is not printed"],
      ["http://203.0.113.7", name === "watermarks.endpoint" ? "it must begin with https://" : "address only"],
    ] as const) {
      it(`refuse ${url} as ${name}, say which part is not taken, and repeat no password`, () => {
        const [mistake, ...others] = mistakes(settings(url));
        expect(others).to.deep.equal([]);
        expect(mistake).to.include(`${name}: must be `).and.include(fault);
        expect(mistake).to.not.match(/sesame|ses\/ame/);
      });
    }
  }

  it("refuse a path where it would be dropped, and take it where it is asked for", () => {
    const path = "https://host.example.org/mainnet";
    expect(mistakes(URLS["keys.vault"](path))[0]).to.match(/^keys\.vault: .*it has a path, which is not taken/);
    expect(mistakes(URLS["watermarks.endpoint"](path))).to.deep.equal([]);
    expect(mistakes(URLS["head.node"](path))).to.deep.equal([]);
  });
});
