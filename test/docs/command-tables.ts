import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Words } from "../harness/shell-words.ts";
import { namedCommands } from "./named-commands.ts";

/**
 * What a program takes, kept in tables/ of those commands alone that a page or a message names: `.ci/command-tables`
 * holds them to the programs themselves, `.ci/command-tables --write` writes them. That of octez-client is by hand.
 * @module
 */

export interface Command {
  /** Each as it is typed, with the values that it may take; null: any. */
  readonly options: Readonly<Record<string, readonly string[] | null>>;
  /** It takes words that are no options. */
  readonly arguments: boolean;
  /** It does something; else it is a group of commands, and has to be gone into. */
  readonly runs: boolean;
}

export interface Table {
  readonly version: string;
  /** By the words after the program's name. */
  readonly commands: Readonly<Record<string, Command>>;
}

/** A word that can be a command's. What a reader puts in has capitals, signs or an ellipsis. */
const PLAIN = /^[a-z][a-z-]*$/;

export function tableOf(program: string): Table {
  const { version, commands } = JSON.parse(readFileSync(fileOf(program), "utf8"));
  const rows = Object.entries<string>(commands).map(([name, line]) => [name, readLine(line)] as const);
  return { version, commands: Object.fromEntries(rows) };
}

/** A command as one line of a table: `… -n --name --kty=EC|RSA`, `…` where it takes arguments; nothing for a group. */
function lineFor({ options, arguments: takes, runs }: Command): string {
  if (!runs) return "";
  const each = Object.entries(options).map(([option, values]) =>
    values === null ? option : `${option}=${values.join("|")}`,
  );
  return [...(takes ? ["…"] : []), ...each].join(" ");
}

function readLine(line: string): Command {
  const words = line.split(" ").filter((word) => word !== "");
  const options = words.filter((word) => word !== "…").map((word) => word.split("="));
  return {
    options: Object.fromEntries(options.map(([option, values]) => [option, values?.split("|") ?? null])),
    arguments: words[0] === "…",
    runs: words.length > 0,
  };
}

/**
 * Says what is wrong with a command line.
 * @param words after the program's name
 * @param inSentence what no command takes is not looked at
 * @returns undefined where nothing is
 */
export function complaint({ commands }: Pick<Table, "commands">, words: Words, inSentence = false): string | undefined {
  let depth = 0;
  while (depth < words.length && commands[words.slice(0, depth + 1).join(" ")] !== undefined) depth += 1;
  const name = words.slice(0, depth).join(" ");
  const command = commands[name];
  const rest = words.slice(depth);
  const next = rest[0] ?? "";
  if (depth === 0 && (inSentence || next === "" || !/^[a-z-]/.test(next))) return undefined; // `az`; `tezos-signer COMMAND`
  if (command === undefined)
    return next.startsWith("-") && depth === 0 ? optionComplaint(undefined, rest) : `no command "${next}"`;
  if (!command.runs && PLAIN.test(next)) return `"${name}" has no command "${next}"`;
  if (!command.runs && next.startsWith("-")) return `"${name}" is a group of commands and takes no option`;
  if (!command.arguments && PLAIN.test(next) && !inSentence) return `"${name}" takes no argument "${next}"`;
  return command.runs ? optionComplaint(command, rest) : undefined;
}

/** @param command undefined: the program itself */
function optionComplaint(command: Command | undefined, words: Words): string | undefined {
  for (const [index, word] of words.entries()) {
    if (!/^--?[A-Za-z]/.test(word)) continue;
    const [option = "", value = words[index + 1] ?? ""] = word.split("=");
    if (["--help", "-h"].includes(option) || (command === undefined && option === "--version")) continue;
    const values = command?.options[option];
    if (values === undefined) return `no option ${option}`;
    const known = values?.map((each) => each.toLowerCase());
    if (known !== undefined && /^[\w-]+$/.test(value) && !known.includes(value.toLowerCase())) {
      return `${option} ${value}: it is one of ${values?.join(", ")}`;
    }
  }
  return undefined;
}

/** Every name that the pages and messages may mean: the plain words behind the program, and what they begin with. */
function namesOf(program: string): string[] {
  const names = namedCommands()
    .filter(({ words }) => words[0] === program)
    .flatMap(({ words }) => {
      const end = words.slice(1).findIndex((word) => !PLAIN.test(word));
      const plain = end === -1 ? words.slice(1) : words.slice(1, end + 1);
      return plain.map((_, index) => plain.slice(0, index + 1).join(" "));
    });
  return [...new Set(names)].sort();
}

/** Asks the program itself. */
const MAKERS: Readonly<Record<string, (names: readonly string[]) => Table>> = {
  az(names) {
    const script = join(import.meta.dirname, "az-table.py");
    const python = process.env.AZURE_CLI_PYTHON ?? "python3";
    const home = mkdtempSync(join(tmpdir(), "az-"));
    try {
      const env = { ...process.env, AZURE_CONFIG_DIR: home, AZURE_CORE_COLLECT_TELEMETRY: "false" };
      return JSON.parse(execFileSync(python, [script], { input: names.join("\n"), encoding: "utf8", env }));
    } finally {
      rmSync(home, { recursive: true });
    }
  },
  pulumi(names) {
    const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
    const say = (...words: string[]) => execFileSync("pulumi", words, { encoding: "utf8", env });
    const found = names.flatMap((name) => {
      const command = fromHelp(name, say(...name.split(" "), "--help"));
      return command === undefined ? [] : [[name, command] as const];
    });
    return { version: say("version").trim(), commands: Object.fromEntries(found) };
  },
};

/** A command as Pulumi's own help has it; undefined where that is the help of what the name begins with. */
function fromHelp(name: string, help: string): Command | undefined {
  const part = (title: string) => new RegExp(`^${title}:\\n((?: .*\\n)+)`, "m").exec(help)?.[1] ?? "";
  const usage = [...part("Usage").matchAll(/^ {2}pulumi (.*)$/gm)].map(([, line = ""]) => line);
  const called = (usage[0] ?? "").split(/ (?=[<[])/)[0] ?? "";
  const last = name.split(" ").at(-1) ?? "";
  const names = [called.split(" ").at(-1), ...part("Aliases").trim().split(", ")];
  if (called.split(" ").length !== name.split(" ").length || !names.includes(last)) return undefined;
  const options = [...`${part("Flags")}${part("Global Flags")}`.matchAll(/^ +(?:(-\w), )?(--[\w-]+)/gm)];
  return {
    options: Object.fromEntries(options.flatMap(([, ...forms]) => forms.filter(Boolean).map((form) => [form, null]))),
    arguments: usage.some((line) => /[<[](?!flags|command)/.test(line)),
    runs: usage.some((line) => !line.endsWith("[command]")),
  };
}

function fileOf(program: string): string {
  return resolve(import.meta.dirname, `tables/${program}.json`);
}

function written({ version, commands }: Table): string {
  const lines = Object.entries(commands).map(([name, command]) => [name, lineFor(command)]);
  return `${JSON.stringify({ version, commands: Object.fromEntries(lines) }, null, 2)}\n`;
}

if (import.meta.main) {
  const programs = Object.entries(MAKERS).map(([program, make]) => ({ program, now: written(make(namesOf(program))) }));
  if (process.argv[2] === "--write") for (const { program, now } of programs) writeFileSync(fileOf(program), now);
  const other = programs.filter(({ program, now }) => readFileSync(fileOf(program), "utf8") !== now);
  for (const { program } of other) console.error(`test/docs/tables/${program}.json is not what ${program} itself says`);
  console.log(`${programs.length - other.length} passed, ${other.length} failed`);
  process.exitCode = other.length === 0 ? 0 : 1;
}
