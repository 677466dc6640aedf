import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { readUserDataDocument } from "../../../signer/azure/user-data-document.ts";
import { parseSettings, SettingsError } from "../../../signer/settings/parse.ts";
import { readYaml } from "../../../signer/settings/secrets.ts";

const MINIMAL = "keys: { kind: local, path: keys }\nwatermarks: { kind: sqlite, path: w }";

/** Texts of as many characters as userData can have, each made to keep a reader of YAML busy. */
const BUSY: Record<string, string> = {
  "lists in lists": "[".repeat(48_000),
  "lists in lists, all closed": "[".repeat(24_000) + "]".repeat(24_000),
  "maps in maps": "{a: ".repeat(12_000),
  "lists in lists, by dashes": "- ".repeat(24_000),
  "closing brackets": "]".repeat(48_000),
  "names in one map": Array.from({ length: 5_000 }, (_, at) => `k${at}: 1`).join("\n"),
  "names in one map, in one line": `{${Array.from({ length: 5_000 }, (_, at) => `k${at}: 1`)}}`,
  "names without a name": "?\n".repeat(24_000),
  "tags of one value": "!a ".repeat(16_000),
  "anchors of one value": "&a ".repeat(16_000),
  aliases: `a: &a 1\nb: [${"*a,".repeat(15_000)}]`,
  directives: "%\n".repeat(24_000),
  "values in values": "a: b: c\n".repeat(6_000),
};

describe("a text of settings", () => {
  for (const [title, text] of Object.entries(BUSY)) {
    it(`is refused by its size where it has thousands of ${title}`, () => {
      expect(readYaml(text)).to.deep.equal({
        faults: ["it has more than 10000 names, values and marks, which no settings need"],
      });
    });
  }

  it("is refused where it is longer than userData can be", () => {
    const faults = [`it is too long: 65537 characters, of at most 65536`];
    expect(readYaml("#".repeat(65_537))).to.deep.equal({ faults });
    expect(readYaml("#".repeat(65_536))).to.deep.equal({ value: null });
  });

  it("may be as large as one with five hundred keys' own rules", () => {
    const rules = Array.from({ length: 500 }, (_, at) => `  key${at}: { allow: [block] }`).join("\n");
    expect(readYaml(`policy:\n${rules}`)).to.have.nested.property("value.policy.key499.allow[0]", "block");
  });

  it("is told to be nested too deep, in words, and its faults are told up to ten", () => {
    expect(readYaml("[".repeat(6_000)))
      .to.have.property("faults")
      .that.has.length(11);
    expect(readYaml("[".repeat(3_000) + "]".repeat(3_000)))
      .to.have.nested.property("faults[0]")
      .that.matches(/^it is nested too deep at line 1, column \d+$/);
  });

  for (const [title, text] of Object.entries({
    "a value": "a ".repeat(30_000),
    "a value in quotes": `${MINIMAL}\nlistKnownKeys: "${"a b".repeat(20_000)}"`,
    "a value that must be one of a list": `${MINIMAL}\nhead: { node: x, whenUnknown: ${"a ".repeat(30_000)}}`,
    "a name": `${MINIMAL}\n? ${"name ".repeat(10_000)}\n: 1`,
    "a kind": `keys: { kind: "${"a b".repeat(20_000)}" }`,
    "a rule's name": `${MINIMAL}\npolicy: { ? ${"tz ".repeat(15_000)} : { allow: [] } }`,
    "an address": `${MINIMAL}\nallowedAddresses: ["${"1.".repeat(30_000)}"]`,
    "a URL": `${MINIMAL}\nhead: { node: "ftp://${"a.".repeat(30_000)}" }`,
    "a tag": `a: ${"!".repeat(60_000)}`,
    "an escape": `a: "\\${"q".repeat(60_000)}"`,
  })) {
    it(`is not repeated at length where ${title} in it is long`, () => {
      const mistakes = () => parseSettings(text, "settings.yaml");
      expect(mistakes).to.throw(SettingsError).with.property("message").with.property("length").below(1_500);
    });
  }

  // What JavaScript finds in every object.
  for (const name of ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"]) {
    for (const [where, text] of [
      ["a setting", `${MINIMAL}\n${name}: 1`],
      ["a setting of a part", `${MINIMAL}\nlisten: { ${name}: { port: 1 } }`],
      ["a key's own rule", `${MINIMAL}\npolicy: { ${name}: { allow: [block] } }`],
      ["a key's own rule, in quotes", `${MINIMAL}\npolicy: { "${name}": { allow: [block] } }`],
      ["a part of a rule", `${MINIMAL}\npolicy: { default: { allow: [], ${name}: 1 } }`],
      ["what is allowed", `${MINIMAL}\npolicy: { default: { allow: [{ ${name}: 1 }] } }`],
      ["a kind", `keys: { kind: { ${name}: 1 }, path: keys }\nwatermarks: { kind: ${name}, path: w }`],
    ] as const) {
      it(`is refused in words where it has ${name} as ${where}`, () => {
        expect(() => parseSettings(text, "settings.yaml")).to.throw(
          SettingsError,
          /^settings\.yaml cannot be used:\n {2}\S/,
        );
      });
    }
  }

  for (const [where, text] of [
    ["an alias", `${MINIMAL}\nconfirmation: { socket: &name __proto__ }\npolicy: { *name : { allow: [block] } }`],
    ["an alias of any text", `${MINIMAL}\nconfirmation: { socket: &name default }\npolicy: { *name : { allow: [] } }`],
    ["a list", `${MINIMAL}\npolicy: { ? [default] : { allow: [block] } }`],
    ["a map", `${MINIMAL}\npolicy: { ? { a: 1 } : { allow: [block] } }`],
    ["bytes", `%YAML 1.1\n---\n${MINIMAL}\npolicy: { ? !!binary X19wcm90b19f : { allow: [block] } }`],
    ["nothing", `${MINIMAL}\npolicy: { ? : { allow: [block] } }`],
  ] as const) {
    it(`is refused where a name is ${where}, and nothing is told anywhere else`, async () => {
      const warnings: unknown[] = [];
      const heard = (warning: unknown) => warnings.push(warning);
      process.on("warning", heard);
      expect(() => parseSettings(text, "settings.yaml")).to.throw(
        SettingsError,
        /a name must be a plain text at line \d/,
      );
      await setImmediate();
      process.off("warning", heard);
      expect(warnings).to.deep.equal([]);
    });
  }

  it("is refused where userData has __proto__ beside or in its settings", () => {
    for (const text of [
      '{"settings":{},"__proto__":{}}',
      '{"settings":{"policy":{"__proto__":{"allow":["block"]}}}}',
    ]) {
      expect(() => readUserDataDocument(text)).to.throw(/there is no such setting: __proto__ at line 1, column \d+/);
    }
  });
});
