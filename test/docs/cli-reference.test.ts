import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { Command } from "commander";
import { EXIT_CODES } from "../../signer/cli/exit-codes.ts";
import { nameOf } from "../../signer/cli/run.ts";
import { cliPage, helpOf, leaves, wholeProgram, wordsOf } from "./cli-page.ts";

/** Commands are read and parsed here, and none is run. */
const nowhere = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {} };

/** Every command, those that only hold others included. */
function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

/** Lines of a text, without indentation, those that a backslash joins as one. */
function linesOf(text: string): string[] {
  return text
    .replaceAll(/ \\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.trim());
}

/** What is typed in a checkout, offline, or in the script of a run-command, as words for the parser. */
function commandOf(line: string): string[] {
  const [, typed] =
    /^(?:npm run --silent signer -- |tezos-signer |az vm run-command .*"tezos-signer )((?:keys|watermarks) .*)$/.exec(
      line,
    ) ?? [];
  const values = {
    $VAULT: "https://name.vault.azure.net",
    $STORE: "5f0c2a9e17d34b68",
    $DRIVE: "/media/user/TRANSPORT",
    "tz3…": "tz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK",
    LEVEL: "9123456",
    NEXT: "9123457",
    HEAD: "9123456",
  };
  const filled = Object.entries(values).reduce((text, [name, value]) => text.replaceAll(name, value), typed ?? "");
  return filled === "" ? [] : [`tezos-signer ${filled.replaceAll('"', "")}`];
}

/** The name of the command that takes a command line. @throws CommanderError if none does */
async function taker(line: string): Promise<string> {
  let name = "";
  const program = await wholeProgram(nowhere);
  for (const leaf of leaves(program)) {
    leaf.exitOverride().action(() => {
      name = nameOf(leaf);
    });
  }
  await program.exitOverride().parseAsync(line.split(" ").slice(1), { from: "user" });
  return name;
}

const program = await wholeProgram(nowhere);

describe("command line", () => {
  it("is what docs/reference/cli.md says", async () => {
    const page = readFileSync(new URL("../../docs/reference/cli.md", import.meta.url), "utf8");
    expect(page, "make it anew: node test/docs/cli-page.ts > docs/reference/cli.md").to.equal(await cliPage());
  });

  for (const command of all(program)) {
    it(`${nameOf(command)} has a help that fits 80 columns`, async () => {
      const lines = (await helpOf(wordsOf(command))).split("\n");
      for (const line of lines) expect(line.length, line).to.be.at.most(80);
    });
  }

  for (const command of leaves(program)) {
    it(`${nameOf(command)} has an example that its own parser takes`, async () => {
      const help = await helpOf(wordsOf(command));
      const examples = linesOf(/\nExamples?:\n(.*)$/s.exec(help)?.[1] ?? "");
      expect(examples.length).to.be.greaterThan(0);
      for (const example of examples) expect(await taker(example), example).to.equal(nameOf(command));
    });
  }

  it("takes every command line of docs/keys.md", async () => {
    const page = readFileSync(new URL("../../docs/keys.md", import.meta.url), "utf8");
    const commands = linesOf(page).flatMap(commandOf);
    expect(new Set(await Promise.all(commands.map(taker)))).to.have.all.keys(
      ...leaves(program)
        .map(nameOf)
        .filter((name) => name.startsWith("tezos-signer keys ") && name !== "tezos-signer keys show"),
    );
  });

  it("takes every command line on watermarks of docs/recover.md", async () => {
    const page = readFileSync(new URL("../../docs/recover.md", import.meta.url), "utf8");
    const commands = linesOf(page).flatMap(commandOf);
    expect(new Set(await Promise.all(commands.map(taker)))).to.have.all.keys(
      ...["check", "export", "forget", "import", "init"].map((name) => `tezos-signer watermarks ${name}`),
    );
    expect(commands.length).to.be.at.least(9);
  });

  it("has an exit code of its own for each way to end", () => {
    const codes = Object.values(EXIT_CODES).map(({ code }) => code);
    expect(new Set(codes).size).to.equal(codes.length);
  });
});
