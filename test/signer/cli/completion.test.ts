import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { completionCommand } from "../../../signer/cli/completion.ts";
import { program } from "../../../signer/cli/program.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { atTerminal } from "../../harness/fake-terminal.ts";
import { requires } from "../../harness/requires.ts";

/** What each line is completed with: all of these words, and none of the others. */
const CASES: readonly (readonly [line: string, words: readonly string[], not: readonly string[]])[] = [
  ["tezos-signer ", ["serve", "confirm", "status", "doctor", "watermarks", "keys", "completion"], ["generate"]],
  ["tezos-signer st", ["status"], ["serve"]],
  ["tezos-signer keys ", ["generate", "import", "kek", "list"], ["serve", "verify"]],
  ["tezos-signer keys drill ", ["sign", "verify"], ["generate"]],
  ["tezos-signer keys generate --", ["--curve", "--out"], ["--socket"]],
  ["tezos-signer serve --config x.yaml --", ["--log", "--user-data"], ["--admin"]],
  ["tezos-signer serve --log ", ["json", "text"], ["--config"]],
  ["tezos-signer watermarks import --from sig", ["signatory", "signatory-dynamodb"], ["octez"]],
  ["tezos-signer completion ", ["bash", "zsh", "fish"], []],
];

/** Completes in zsh, which tells no script what it would offer: its own function is called in place of the line editor. */
const ZSH = `compdef() { : }; _files() { : }
compadd() { print -l -- \${@:#--} }
source $1; shift
words=("$@"); CURRENT=$#words
_tezos_signer`;

const BASH = `source $1; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_tezos_signer
printf '%s\\n' "\${COMPREPLY[@]}"`;

const FISH = "source $argv[1]; complete -C $argv[2] | string replace -r '\\t.*' ''";

/** What a shell prints, which is nothing on standard error. */
function printed(shell: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(shell, args, { encoding: "utf8" });
  expect(stderr).to.equal("");
  return stdout;
}

/** What a shell offers for a line. */
const SHELLS: Readonly<Record<string, (script: string, line: string) => string>> = {
  bash: (script, line) => printed("bash", "-c", BASH, "bash", script, ...line.split(" ")),
  zsh: (script, line) => printed("zsh", "-fc", ZSH, "zsh", script, ...line.split(" ")),
  fish: (script, line) => printed("fish", "--no-config", "-c", FISH, script, line),
};

describe("completion", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "completion-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [shell, offered] of Object.entries(SHELLS)) {
    it(`offers commands, options and their values in ${shell}`, async function () {
      requires(this, hasProgram(shell), `there is no ${shell}`);
      const script = join(folder, shell);
      writeFileSync(script, await scriptFor(shell));
      for (const [line, words, not] of CASES) {
        const offers = offered(script, line)
          .split("\n")
          .filter((word) => word.startsWith(line.split(" ").at(-1) ?? ""));
        expect(offers, `${shell}: ${line}`).to.include.members([...words]);
        for (const word of not) expect(offers, `${shell}: ${line}`).not.to.include(word);
      }
    });
  }

  it("knows every command", async () => {
    const all = await program({ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {} });
    const script = await scriptFor("bash");
    for (const { name, commands } of all.commands.map((each) => ({ name: each.name(), commands: each.commands }))) {
      for (const child of commands) expect(script).to.include(`'${name} ${child.name()}:'*)`);
    }
  });
});

async function scriptFor(shell: string): Promise<string> {
  const io = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {} };
  const { stdout } = await atTerminal((own) => completionCommand(own, () => program(io)), [shell], null);
  return stdout;
}
