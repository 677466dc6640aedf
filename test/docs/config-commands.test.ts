import { expect } from "chai";
import { parseConfig } from "../../infra/config/parse.ts";
import { judge } from "../../infra/config/reasons.ts";
import { decode, KEYS, type Key } from "../../infra/config/schema.ts";
import { EXAMPLE_SSH_KEY } from "../../infra/config/ssh-key.ts";
import { inPage, type NamedCommand, namedCommands } from "./named-commands.ts";
import { PAGES, textOf } from "./pages.ts";

/** What a reader puts in, or the shell computes. */
const OPEN = /…|^[A-Z_]+$|\$\(/;

const TABLE: Readonly<Record<string, Key>> = KEYS;

interface Setting {
  readonly file: string;
  readonly path: string;
  readonly value: string;
}

/** What only the reader has. */
const READERS_OWN: Readonly<Record<string, string>> = {
  bakerIp: "20.50.1.2",
  sshPublicKey: EXAMPLE_SSH_KEY.replace(/AAAAIJP/, "AAAAIJQ"),
  authorizedKeys: "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav",
};

/** Each `pulumi config set` of a page that gives a value. */
const settingsIn = (page: string, text: string) => settingsOf(inPage(page, text));

const settingsOf = (commands: readonly NamedCommand[]): Setting[] =>
  commands
    .filter(({ file, words }) => PAGES.includes(file) && words.slice(0, 3).join(" ") === "pulumi config set")
    .flatMap(({ file, words }) => {
      const [path, value] = words.slice(3).filter((word) => !word.startsWith("--"));
      return path === undefined || value === undefined || path === "…" ? [] : [{ file, path, value }];
    });

const settings = settingsOf(namedCommands());

/** What is wrong with a key's value, by the schema that judges a stack. */
function mistakes({ path, value }: Setting): string[] {
  const [, name = "", index, field] = /^([A-Za-z]+)(?:\[(\d+)\]|\.(.+))?$/.exec(path) ?? [];
  const key = TABLE[name];
  if (key === undefined) return ["no such key"];
  if (OPEN.test(value)) return [];
  // A field is set beside others; which one is wrong is said by its own name.
  const decoded = index !== undefined ? [value] : field !== undefined ? nested(field, value) : decode(value, key.unset);
  const result = judge(key.schema, decoded, name);
  if ("data" in result) return [];
  return result.findings
    .filter(({ where }) => field === undefined || where.endsWith(field))
    .map(({ reason }) => reason);
}

function nested(field: string, value: string): unknown {
  const number = /^\d+$/.test(value) ? Number(value) : value;
  return field.split(".").reduceRight<unknown>((inner, name) => {
    const [, plain = name, index] = /^(.*)\[\d+\]$/.exec(name) ?? [];
    return { [plain]: index === undefined ? inner : [inner] };
  }, number);
}

describe("each `pulumi config set` of a page", () => {
  it("sets a key that there is to a value that the stack takes", () => {
    expect(settings.length).to.be.greaterThan(30);
    const wrong = settings.flatMap((setting) =>
      mistakes(setting).map((reason) => `${setting.file}: ${setting.path} ${setting.value}: ${reason}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it("adds up, in each section of docs/deploy.md that makes a stack, to a configuration without a mistake", () => {
    const now = Date.parse("2026-11-20T10:00:00Z"); // the page's window closes six hours later
    for (const [heading, stack] of [
      ["## 2. A test stack", "test"],
      ["## 4. Production", "mainnet"],
    ] as const) {
      const section = textOf("docs/deploy.md").split(`${heading}\n`)[1]?.split("\n## ")[0] ?? "";
      const blocks = section.replaceAll(/`[^`\n]+`/g, ""); // what a sentence names is another way
      const config: Record<string, unknown> = {};
      for (const { path, value } of settingsIn("docs/deploy.md", blocks)) {
        const [, name = "", below] = /^([A-Za-z]+)(?:\.(\w+)|\[0\])?$/.exec(path) ?? [];
        const put = READERS_OWN[name] ?? value;
        const number = /^\d+$/.test(put) ? Number(put) : put;
        if (path.endsWith("[0]")) config[name] = [put];
        else config[name] = below === undefined ? put : { ...(config[name] as object | undefined), [below]: number };
      }
      const texts = Object.entries(config).map(([name, value]) => [
        name,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      expect(Object.keys(config), heading).to.include.members([
        "location",
        "bakerIp",
        "sshPublicKey",
        "authorizedKeys",
      ]);
      expect(() => parseConfig(Object.fromEntries(texts), stack, now), heading).not.to.throw();
    }
  });

  it("would be told of a wrong name, value or field", () => {
    const about = (path: string, value: string) => mistakes({ file: "", path, value });
    expect(about("bakerip", "203.0.113.7")).to.deep.equal(["no such key"]);
    for (const [path, value] of [
      ["bakerIp", "10.0.0.4"],
      ["authorizedKeys[0]", "edsk"],
      ["initialise.level", "-1"],
    ] as const)
      expect(about(path, value), path).not.to.deep.equal([]);
    expect(about("initialise.level", "9123456")).to.deep.equal([]);
  });

  it("are taken by the running signer as soon as it looks, and every page says so in the same words", () => {
    const [, milliseconds = ""] = /\binterval: ([\d_]+)/.exec(textOf("signer/azure/user-data.ts")) ?? [];
    expect(Number(milliseconds.replaceAll("_", ""))).to.be.within(1_000, 9_000);
    const told = PAGES.flatMap((page) =>
      [...textOf(page).matchAll(/(?:signer takes|reads) it (within [a-z]+(?: [a-z]+)?)/g)].map(([, soon]) => soon),
    );
    expect(told.length).to.be.greaterThan(1);
    expect(told.filter((soon) => !soon?.startsWith("within seconds"))).to.deep.equal([]);
  });
});
