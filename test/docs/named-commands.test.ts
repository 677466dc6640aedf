import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import type { Command as OurCommand } from "commander";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";
import { callsIn, type Words } from "../harness/shell-words.ts";
import { wholeProgram, wordsOf } from "./cli-page.ts";
import { type Command, complaint, tableOf } from "./command-tables.ts";
import { inPage, inText, namedCommands, TOOLS, visitTexts } from "./named-commands.ts";
import { PAGES, textOf } from "./pages.ts";

const root = resolve(import.meta.dirname, "../..");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Readonly<Record<string, string>>;
};
const named = namedCommands();

/** Programs that every Linux has, or that a page makes beforehand: known, and not looked at. */
const PLAIN_TOOLS = [
  ...[
    "awk",
    "base64",
    "basename",
    "basenc",
    "cat",
    "cd",
    "chmod",
    "cp",
    "curl",
    "date",
    "diff",
    "echo",
    "for",
    "git",
    "grep",
  ],
  ...["gunzip", "gzip", "head", "jq", "ls", "mkdir", "mv", "nc", "openssl", "sed", "sha256sum", "sort", "tail", "tar"],
  ...["sqlite3", "tr", "ask", "of", "on", "row"],
];

/** Commands of az that are an extension's: az offers to install it, and its own table has them not. */
const EXTENSIONS = ["serial-console connect"];

/** Options of octez-client that a value follows. */
const VALUED = /^--(?:burn-cap|limit-of-staking-over-baking|edge-of-baking-over-staking)$/;

/** What tezos-signer takes, from the commands themselves. */
function ourTable(top: OurCommand): Readonly<Record<string, Command>> {
  const all = (command: OurCommand): OurCommand[] => [command, ...command.commands.flatMap(all)];
  const rows = top.commands.flatMap(all).map((command): [string, Command] => [
    wordsOf(command).join(" "),
    {
      options: Object.fromEntries(
        command.options.flatMap(({ short, long, argChoices }) =>
          [short, long].flatMap((form) => (form ? [[form, argChoices ?? null] as const] : [])),
        ),
      ),
      arguments: command.registeredArguments.length > 0,
      runs: command.commands.length === 0,
    },
  ]);
  return Object.fromEntries(rows);
}

/** The words of a call of ours behind `npm run`. */
function ourWords(words: Words): Words | undefined {
  if (words[0] === "tezos-signer") return words.slice(1);
  return /^npm run (--silent )?signer -- /.test(words.join(" ")) ? words.slice(words.indexOf("--") + 1) : undefined;
}

/** Each complaint about the calls of a program, with the file and the call. */
function complaints(program: string, judge: (words: Words, inSentence: boolean) => string | undefined): string[] {
  return named
    .filter(({ words }) => words[0] === program)
    .flatMap(({ file, words, inSentence }) => {
      const wrong = judge(words.slice(1), inSentence);
      return wrong === undefined ? [] : [`${file}: ${words.join(" ").slice(0, 100)}: ${wrong}`];
    });
}

describe("every command that a page shows or a message prints", function () {
  this.timeout(60_000);

  it("exists in pulumi, with its options", () => {
    const table = tableOf("pulumi");
    expect(complaints("pulumi", (words, inSentence) => complaint(table, words, inSentence))).to.deep.equal([]);
  });

  it("exists in az, with its options and the values that they may take", () => {
    const table = tableOf("az");
    const judge = (words: Words, inSentence: boolean) =>
      EXTENSIONS.some((name) => words.join(" ").startsWith(name)) ? undefined : complaint(table, words, inSentence);
    expect(complaints("az", judge)).to.deep.equal([]);
  });

  it("says of az's keys and machines in which vault or group they are, where it is more than a name", () => {
    // az's own parser leaves that to the service. The old guide's commands stand in the guide by one option each.
    const needs: readonly (readonly [RegExp, RegExp])[] = [
      [/^keyvault key \S+ .*-/, / --(?:vault-name|id) /],
      [/^vm (?!list-skus|list-usage|image )\S+ .*-/, / (?:-g|--resource-group|--ids) /],
    ];
    const judge = (words: Words) => {
      const line = `${words.join(" ")} `;
      const lacks = needs.some(([which, what]) => which.test(line) && !what.test(line) && !line.includes("…"));
      return lacks ? "in which?" : undefined;
    };
    const theirs = /^(?:docs\/guide\.md|infra\/plan\/guide\.ts): /;
    expect(complaints("az", judge).filter((line) => !theirs.test(line))).to.deep.equal([]);
  });

  it("that stops a machine for good stops each that a stack may have: the second one of a pair would sign on", () => {
    const judge = (words: Words) => {
      const line = words.join(" ");
      const all = line === "vm deallocate" || /^vm deallocate --ids \$\(az vm list --resource-group \S/.test(line);
      return !line.startsWith("vm deallocate") || all || line.endsWith("--name signer-2") ? undefined : "and signer-2?";
    };
    // A test stack of one machine, of which each point is looked at.
    expect(complaints("az", judge).filter((line) => !line.startsWith("docs/verify-on-azure.md: "))).to.deep.equal([]);
  });

  it("exists in tezos-signer, with its options, on the machine and in a checkout", async () => {
    const nowhere = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {} };
    const commands = ourTable(await wholeProgram(nowhere));
    expect(Object.keys(commands)).to.include.members(["serve", "keys drill verify", "watermarks import"]);
    const wrong = named.flatMap(({ file, words, inSentence }) => {
      const ours = ourWords(words);
      const found = ours === undefined ? undefined : complaint({ commands }, ours, inSentence);
      return found === undefined ? [] : [`${file}: ${words.join(" ")}: ${found}`];
    });
    expect(wrong).to.deep.equal([]);
  });

  it("is a script of package.json or a command of npm's own, with options that it knows", () => {
    const own = execFileSync("npm", ["help"], { encoding: "utf8" });
    const helps = new Map<string, string>();
    const help = (verb: string) => {
      const text = helps.get(verb) ?? execFileSync("npm", [verb, "-h"], { encoding: "utf8" });
      helps.set(verb, text);
      return text;
    };
    const judge = (words: Words, inSentence: boolean) => {
      const [verb = "", ...rest] = words.filter((word) => word !== "--silent");
      if (inSentence && !["run", "start", "test", "ci"].includes(verb)) return undefined;
      if (verb === "run") return rest[0] === undefined || rest[0] in scripts ? undefined : `no script ${rest[0]}`;
      if (["", "start", "test"].includes(verb)) return undefined;
      if (!new RegExp(`^ {4}.*\\b${verb}\\b`, "m").test(own)) return `no command ${verb}`;
      const unknown = rest.filter((word) => word.startsWith("-") && !help(verb).includes(word));
      return unknown.length === 0 ? undefined : `no option ${unknown}`;
    };
    expect(complaints("npm", judge)).to.deep.equal([]);
  });

  it("gives a script options that its own help lists", () => {
    const helps = new Map<string, string>();
    const help = (name: string) => {
      const words = /\bnode (\S+\.[jt]s.*)$/.exec(scripts[name] ?? "")?.[1]?.split(" ") ?? [];
      const text =
        helps.get(name) ?? execFileSync(process.execPath, [...words, "--help"], { encoding: "utf8", cwd: root });
      helps.set(name, text);
      return text;
    };
    const judge = (words: Words) => {
      const [verb = "", ...rest] = words.filter((word) => word !== "--silent");
      const name = verb === "run" ? rest[0] : verb;
      const given = words.includes("--") ? words.slice(words.indexOf("--") + 1) : [];
      // mocha's and ours are looked at by themselves.
      if (name === undefined || given.length === 0 || /^(?:signer|test.*)$/.test(name) || !(name in scripts))
        return undefined;
      const unknown = given.filter((word) => /^--[a-z]/.test(word) && word !== "--help" && !help(name).includes(word));
      return unknown.length === 0 ? undefined : `no option ${unknown}`;
    };
    expect(complaints("npm", judge)).to.deep.equal([]);
  });

  it("is a form of octez-client's, as its manual has it", () => {
    const { forms, options } = JSON.parse(
      readFileSync(join(import.meta.dirname, "tables/octez-client.json"), "utf8"),
    ) as { forms: readonly string[]; options: Readonly<Record<string, readonly string[]>> };
    const judge = (words: Words) => {
      const plain = words.filter((word, index) => !word.startsWith("--") && !VALUED.test(words[index - 1] ?? ""));
      // What is only mentioned may be shorter than the form, and not otherwise.
      const fits = forms.some((form) => {
        const wanted = form.split(" ");
        return (
          plain.length <= wanted.length &&
          plain.every((word, index) => /^[A-Z]+$/.test(wanted[index] ?? "") || wanted[index] === word || word === "…")
        );
      });
      if (!fits) return "no such form";
      const unknown = words.filter((word) => word.startsWith("--") && !options[words[0] ?? ""]?.includes(word));
      return unknown.length === 0 ? undefined : `no option ${unknown}`;
    };
    expect(complaints("octez-client", judge)).to.deep.equal([]);
  });

  for (const program of ["systemctl", "journalctl"]) {
    it(`exists in ${program}, with its options`, function () {
      requires(this, hasProgram(program), `${program} tells its own commands and options`);
      const help = execFileSync(program, ["--help", "--no-pager"], { encoding: "utf8" });
      const judge = (words: Words) => {
        const asked = words.filter((word) => word.startsWith("-") || (program === "systemctl" && word === words[0]));
        const unknown = asked.filter((word) => !new RegExp(`^ +(?:.* )?${word}\\b`, "m").test(help));
        return unknown.length === 0 ? undefined : `no ${unknown}`;
      };
      expect(complaints(program, judge)).to.deep.equal([]);
    });
  }

  it("is a file of this repository, where node or npx is given one", () => {
    const files = named
      .filter(({ words, inSentence }) => ["node", "npx"].includes(words[0] ?? "") && !inSentence)
      .flatMap(({ file, words }) =>
        words.filter((word) => /^(?:test|signer|infra|release|demo)\//.test(word)).map((path) => ({ file, path })),
      );
    expect(files.length).to.be.greaterThan(3);
    for (const { file, path } of files) expect(existsSync(join(root, path)), `${file}: ${path}`).to.equal(true);
  });

  it("is of a program that is looked at here, or is known not to be", () => {
    const unknown = named
      .filter(({ inShell, words }) => inShell && words.length > 1)
      .map(({ file, words }) => `${file}: ${words[0]}`)
      .filter((line) => {
        const program = line.split(": ")[1] ?? "";
        return (
          !TOOLS.includes(program) &&
          !PLAIN_TOOLS.includes(program) &&
          !existsSync(join(root, program)) &&
          !program.includes("*")
        );
      });
    expect(unknown).to.deep.equal([]);
  });

  it("is called in one way: the stack by npm run, and the signer by its name or by npm run signer", () => {
    const blocks = PAGES.flatMap((page) =>
      [...textOf(page).matchAll(/^( *)```\w*\n([\s\S]*?)^\1```$/gm)].flatMap(([, , code = ""]) =>
        code.split("\n").map((line) => `${page}: ${line}`),
      ),
    );
    expect(blocks.length).to.be.greaterThan(1_000);
    expect(blocks.filter((line) => /\bpulumi (?:up|preview|destroy)\b|\/tezos-signer\.js\b/.test(line))).to.deep.equal(
      [],
    );
  });

  it("is found wherever it stands: no page and no folder of the product is passed over", () => {
    const files = new Set(named.map(({ file }) => file));
    for (const name of [
      "change",
      "deploy",
      "destroy",
      "disaster",
      "keys",
      "machine",
      "operate",
      "recover",
      "verify-on-azure",
    ])
      expect([...files], name).to.include(`docs/${name}.md`);
    for (const folder of ["signer/", "infra/", "release/", "examples/"])
      expect(
        [...files].some((file) => file.startsWith(folder)),
        folder,
      ).to.equal(true);
    expect(globSync("docs/**/*.md", { cwd: root }).length).to.be.greaterThan(15);
  });
});

describe("a command of the signer that its own texts name", () => {
  it("is called as it is where the text is read: own-command.ts says how, and no text does so by itself", async () => {
    const names = (await wholeProgram(process)).commands.map((command) => command.name()).join("|");
    const called = new RegExp(`(?:tezos-signer|npm run (?:--silent )?signer --) (?:${names})\\b`);
    const found: string[] = [];
    let asked = 0;
    for (const file of globSync("signer/**/*.{ts,js}", { cwd: root })) {
      // Most name none, and need not be read as programs.
      if (!/Command\(|tezos-signer [a-z]|npm run/.test(readFileSync(join(root, file), "utf8"))) continue;
      visitTexts(file, (text, by) => {
        if (/^own(?:ers)?Command$/.test(by)) asked += 1;
        // An example's first word is put in where the help is shown; the mark in a wrapped key's file is no advice.
        else if (called.test(text) && by !== "withExamples" && file !== "signer/key-files/byok.ts")
          found.push(`${file}: ${text}`);
      });
    }
    expect(found).to.deep.equal([]);
    expect(asked).to.be.greaterThan(15);
  });
});

describe("the reader of commands", () => {
  const table = tableOf("pulumi");
  const az = tableOf("az");

  it("refuses a command that does not exist, an option that it has not, and a value that it does not take", () => {
    expect(complaint(table, ["state", "list"])).to.equal('"state" takes no argument "list"');
    expect(complaint(table, ["stat", "list"])).to.equal('no command "stat"');
    expect(complaint(table, ["stack", "export", "--show-secret"])).to.equal("no option --show-secret");
    expect(complaint(az, ["keyvault", "recovery", "--name", "x"])).to.equal('"keyvault" has no command "recovery"');
    expect(complaint(az, ["keyvault", "--name", "x"])).to.equal(
      '"keyvault" is a group of commands and takes no option',
    );
    expect(complaint(az, ["keyvault", "key", "import", "--kty", "EC-HSM"])).to.equal(
      "--kty EC-HSM: it is one of EC, RSA, oct",
    );
    expect(complaint(az, ["keyvault", "show", "MYVAULT", "name"])).to.equal(undefined); // what a reader puts in
    expect(complaint(az, ["keyvault", "show", "mine"])).to.equal('"keyvault show" takes no argument "mine"');
  });

  it("takes what exists, a name alone, and what the reader is to put in", () => {
    for (const line of [
      "config set --path 'keys[0].name' baker",
      "stack",
      "config set …",
      "config rm x --stack=dev",
      "up --help",
    ])
      expect(complaint(table, line.split(" ")), line).to.equal(undefined);
    expect(complaint(az, ["vm", "run-command"])).to.equal(undefined);
  });

  it("finds calls in pipes, in quotes, in what is sent to the machine and in what is put in", () => {
    const line =
      "on \"echo $(gzip < m | base64) | tezos-signer watermarks import - --user-data\" && A=1 sudo az group list -o 'tsv' 2>&1 # az no";
    expect(callsIn(line).map((words) => words.slice(0, 3).join(" "))).to.include.members([
      "gzip",
      "base64",
      "tezos-signer watermarks import",
      "az group list",
    ]);
    expect(callsIn(line).flat()).not.to.include("no");
    expect(callsIn('x --name "$(pulumi stack output vmName)"')[0]).to.deep.equal([
      "pulumi",
      "stack",
      "output",
      "vmName",
    ]);
  });

  it("reads a page's blocks and backquotes, and the sentences of a message up to their end", () => {
    const page = "Run `pulumi state list`.\n\n```sh\naz group list \\\n  --query x\n```\n";
    expect(inPage("p", page).map(({ words }) => words.join(" "))).to.deep.equal([
      "az group list --query x",
      "pulumi state list",
    ]);
    const [told] = inText("m", "Recover it: az keyvault key recover --name NAME. Then wait.");
    expect(told?.words.join(" ")).to.equal("az keyvault key recover --name NAME");
  });
});
