import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { parseConfig } from "../../../infra/config/parse.ts";
import { judge } from "../../../infra/config/reasons.ts";
import { decode, KEYS, type Key } from "../../../infra/config/schema.ts";
import { EXAMPLE_SSH_KEY } from "../../../infra/config/ssh-key.ts";
import { keysIn } from "../../fixtures/stack-configs.ts";

const root = resolve(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

describe("Pulumi.yaml and examples/stack.yaml", () => {
  const declared = parse(read("Pulumi.yaml")).config as Record<
    string,
    { type?: string; default?: unknown; description: string }
  >;

  it("declare the same keys with the same defaults as the program", () => {
    expect(Object.keys(declared)).to.deep.equal(Object.keys(KEYS));
    for (const [name, { schema, unset }] of Object.entries<Key>(KEYS)) {
      const fallback = declared[name]?.default;
      const text = typeof fallback === "string" ? fallback : JSON.stringify(fallback);
      expect(judge(schema, decode(text, unset), name), name).to.deep.equal(judge(schema, undefined, name));
      if (unset !== undefined) expect(text, name).to.equal(unset);
      expect(declared[name]?.description, name).to.match(/^[A-Z{].{10,}/);
    }
  });

  it("leave the judgement to the program: Pulumi would stop at the first wrong type or missing value", () => {
    for (const [name, { type, default: fallback }] of Object.entries(declared)) {
      expect(type, name).to.equal(undefined);
      expect(fallback, name).not.to.equal(undefined);
    }
  });

  it("hold a test stack for a test network that is right as it stands", () => {
    const found = parseConfig(keysIn(read("examples/stack.yaml")), "dev");
    expect(found.production).to.equal(false);
    expect(found.chains).to.deep.equal(["NetXsqzbfFenSTS"]);
    expect(found.sshPublicKey).to.equal(EXAMPLE_SSH_KEY);
  });
});
