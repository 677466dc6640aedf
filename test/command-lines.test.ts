import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { expectWords, run as runInto } from "./harness/command-place.ts";

const root = resolve(import.meta.dirname, "..");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Readonly<Record<string, string>>;
};

/** Scripts that hand all words on, to mocha and to Pulumi, and those that take none or that npm alone runs. */
const NOT_THEIR_OWN = ["test", "up", "preview", "destroy", "docs:cli", "hardware", "prepare", "docs:pictures"];

/** What a wrong command line ends with where it is not 2: each has a table of its own. */
const OTHER_CODES: Readonly<Record<string, number>> = { plan: 1, release: 4 };

/** The programs of ours that scripts run, with their words, by the script's name. */
const all = Object.entries(scripts).flatMap(([name, script]) => {
  const words = /\bnode ((?:\S+\/)+\S+\.[jt]s[^>]*)/.exec(script)?.[1]?.trim().split(" ");
  return words === undefined ? [] : [{ name, words }];
});
const programs = all.filter(({ name }) => !NOT_THEIR_OWN.includes(name));

function run(words: readonly string[]) {
  return new Promise<{ code: number | string | null | undefined; stdout: string; stderr: string }>((done) => {
    execFile(process.execPath, words, { cwd: root }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

describe("the scripts of package.json", function () {
  this.timeout(60_000);

  it("are all looked at here that are programs of ours", () => {
    const named = programs.map(({ name }) => name);
    expect(named).to.include.members(["signer", "demo", "vault", "bench", "soak", "outage", "release", "plan"]);
    expect(Object.keys(scripts)).to.include.members(NOT_THEIR_OWN);
  });

  it("run nothing before the program reads its command line, so that --help and a slip are answered at once", () => {
    const later = all.filter(({ name }) => !/^(?:c8 [^&|;]+ )?node /.test(scripts[name] ?? ""));
    expect(later.map(({ name }) => `${name}: ${scripts[name]}`)).to.deep.equal([]);
  });

  it("tell of an option that npm kept for itself, since no -- stood before it", async () => {
    const { stderr, code } = await new Promise<{ stderr: string; code: unknown }>((done) => {
      // The word after it is one that no script takes, so nothing is started.
      execFile("npm", ["run", "bench", "--minutes=3", "--", "--no-such-option"], { cwd: root }, (error, _, stderr) =>
        done({ stderr, code: error?.code }),
      );
    });
    expect(stderr).to.include(
      "npm has kept --minutes for itself, so it is not heeded. Write: npm run bench -- --minutes",
    );
    expect(code).to.equal(2);
  });

  for (const { name, words } of programs) {
    it(`${name} tells a word that it does not know in sentences, starts nothing, and explains itself with --help`, async () => {
      const [wrong, help] = await Promise.all([run([...words, "--no-such-option"]), run([...words, "--help"])]);
      expect(wrong.stdout).to.equal("");
      expect(wrong.stderr)
        .to.match(/nknown option '--no-such-option'/)
        .and.not.match(/^\s+at |node:internal|\[ERR_/m);
      expect(wrong.code).to.equal(OTHER_CODES[name] ?? 2);
      expect(help.stderr).to.equal("");
      expect(help.stdout).to.match(new RegExp(`(npm run ${name} .*--|tezos-signer)`));
      expect(help.code).to.equal(0);
    });
  }

  // What a person reads the first line of, and what is read by nobody. Those on commandLine() print their help by it, and
  // one of them stands for all; the signer has a way of its own, and so has what prints more than its help.
  const isOnCommandLine = ({ words }: { readonly words: readonly string[] }) =>
    /\bcommandLine\(/.test(readFileSync(join(root, words[0] ?? ""), "utf8"));
  const printing = [
    ...[...all.filter(isOnCommandLine).slice(0, 1), ...all.filter((one) => !isOnCommandLine(one))].map(
      ({ name, words }) => ({ name, words: [...words, ...(name === "docs:cli" ? [] : ["--help"])] }),
    ),
    { name: "plan", words: ["infra/plan/main.ts"] },
    { name: "demo", words: ["demo/demo.ts"] },
  ];
  for (const { name, words } of printing) {
    it(`${name} ends as it would where nobody reads on, without a stack trace: ${words.join(" ")}`, async () => {
      const ends = await Promise.all([runInto(words, root, "closed"), runInto(words, root, "first line")]);
      for (const { errors } of ends) {
        expectWords(errors);
        expect(errors).to.match(/^code 0$/m);
      }
    });
  }
});
