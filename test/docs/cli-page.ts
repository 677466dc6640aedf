import { PassThrough, Writable } from "node:stream";
import type { Command } from "commander";
import { EXIT_CODES } from "../../signer/cli/exit-codes.ts";
import { program } from "../../signer/cli/program.ts";
import { nameOf, runCommandLine } from "../../signer/cli/run.ts";
import type { Io } from "../../signer/cli/terminal.ts";
import { PROGRAM } from "../../signer/own-command.ts";

/**
 * docs/reference/cli.md, made from the commands themselves:
 *   node test/docs/cli-page.ts > docs/reference/cli.md
 * @module
 */

/** The whole command line, whose commands are read here and not run. */
export function wholeProgram(io: Io): Promise<Command> {
  return program(io, "", PROGRAM);
}

/** Every command that does something, in the order of the help. */
export function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

/** What `--help` prints for a command. @param words the command's name without the program's */
export async function helpOf(words: readonly string[]): Promise<string> {
  let text = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const io: Io = { stdin: process.stdin, stdout, stderr: new PassThrough(), env: {} };
  await runCommandLine(await wholeProgram(io), [...words, "--help"], io);
  return text.trimEnd();
}

/** The words after the program's name. */
export function wordsOf(command: Command): string[] {
  return nameOf(command).split(" ").slice(1);
}

export async function cliPage(): Promise<string> {
  const commands = leaves(await wholeProgram(process));
  const sections = await Promise.all(
    commands.map(async (command) => {
      const words = wordsOf(command);
      return `## ${words.join(" ")}\n\n\`\`\`text\n${await helpOf(words)}\n\`\`\``;
    }),
  );
  const rows = Object.values(EXIT_CODES);
  const width = Math.max(...rows.map(({ meaning }) => meaning.length));
  const codes = rows.map(({ code, meaning }) => `| ${String(code).padStart(4)} | ${meaning.padEnd(width)} |`);
  return `# Command line

<!-- Made from the commands: node test/docs/cli-page.ts > docs/reference/cli.md -->

Where this page says \`tezos-signer COMMAND\`, type \`npm run --silent signer -- COMMAND\` in the folder of a checkout (elsewhere npm ends with 254 and says nothing), \`sudo tezos-signer COMMAND\` on the machine in Azure, and \`./tezos-signer COMMAND\` in the folder of a release that was unpacked.

- Results go to standard output. Questions, explanations and errors go to standard error.
- A command that asks questions needs a terminal. Over SSH, use \`ssh -t\`.
- Passphrases and secret keys are never shown while you type them, and cannot be given as an option, by a pipe or in the environment.
- Colour is used for warnings alone, and not when \`NO_COLOR\` is set.
- \`--chain\` and \`--head\` take the names \`mainnet\`, \`ghostnet\` and \`shadownet\` for a chain's id.
- Words are completed once your shell has read what \`completion\` prints, for the program under the name \`tezos-signer\`: \`source <(tezos-signer completion bash)\`, in a checkout \`source <(npm run --silent signer -- completion bash)\`.
- Commands that talk to a vault do it as you are signed in with \`az login\`; \`keys drill verify\` does it as the machine's managed identity.

${sections.join("\n\n")}

## Exit codes

| code | ${"meaning".padEnd(width)} |
| ---: | ${"-".repeat(width)} |
${codes.join("\n")}
`;
}

if (import.meta.main) console.log((await cliPage()).trimEnd());
