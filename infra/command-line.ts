/**
 * The command lines of this project's commands, as they come from npm.
 * @module
 */
import { spawnSync } from "node:child_process";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { misplaced } from "./stack-folder.ts";

type Env = Readonly<Record<string, string | undefined>>;

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: Options }>>["values"];

/**
 * Reads a command line, and tells of it where there is nothing else to do.
 * @param usage how the command is written, as its first paragraph; the rest is what it says of itself
 * @returns the options, or the exit code: 0 where its help was asked for, 2 where it is wrong, told in a sentence
 */
export function readCommandLine<Options extends ParseArgsOptionsConfig>(
  args: string[],
  options: Options,
  usage: string,
  env: Env = process.env,
): Values<Options> | 0 | 2 {
  let values: Values<Options>;
  try {
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage.split("\n\n")[0]}`);
    return 2;
  }
  if ("help" in values && values.help === true) {
    console.log(usage);
    return 0;
  }
  const given: Readonly<Record<string, unknown>> = values;
  const names = Object.keys(options).filter((name) => given[name] === options[name]?.default);
  const kept = keptByNpm(names, env);
  if (kept === undefined) return values;
  console.error(`${kept}\n${usage.split("\n\n")[0]}`);
  return 2;
}

/**
 * Says which option npm has kept for itself, since no `--` stood before it: npm hands such ones on as variables alone, and
 * the command would take the stack that is selected for the one that was named.
 * @returns undefined where it kept none
 */
export function keptByNpm(names: readonly string[], env: Env): string | undefined {
  // An option of npm's own that nobody gave is there as well, and empty.
  const kept = names.find((name) => (env[`npm_config_${name.replaceAll("-", "_")}`] ?? "") !== "");
  if (kept === undefined) return undefined;
  return `npm has kept --${kept} for itself, and nothing was done. Options of the command come after a --`;
}

/** A command that hands its words on to Pulumi's command of the same name. */
export interface PulumiCommand {
  readonly name: "up" | "preview" | "destroy";
  /** What it says of itself; how it is written is the first paragraph. */
  readonly help: string;
  /** Its options that npm may keep for itself. */
  readonly kept: readonly string[];
}

/**
 * Reads the command line of a command that hands its words on to Pulumi, before anything else is done: Pulumi itself
 * would look at them last.
 * @param words what is for Pulumi
 * @returns the exit code where there is nothing else to do: 0 where help was asked for, 1 where the line is wrong, a
 *   stack's file lies where nothing reads it, or there is no Pulumi, told in a sentence; undefined where Pulumi takes the words
 */
export function readForPulumi(
  { name, help, kept: options }: PulumiCommand,
  words: readonly string[],
  env: Env = process.env,
): 0 | 1 | undefined {
  if (words.includes("--help") || words.includes("-h")) {
    console.log(help);
    return 0;
  }
  const kept = keptByNpm(options, env);
  const own = kept === undefined ? misplaced(process.cwd()) : `${kept}: ${help.split("\n\n")[0]}`;
  const wrong = own ?? refusedByPulumi(name, words, env);
  if (wrong === undefined) return undefined;
  console.error(`${name}: ${wrong}`);
  return 1;
}

/** Returns what Pulumi has against the words of a command of its own; undefined where it takes them. */
function refusedByPulumi(name: string, words: readonly string[], env: Env): string | undefined {
  // With --help it reads the whole line, and does nothing.
  const asked = [name, "--help", "--color", "never", ...words];
  const { error, status, stderr } = spawnSync("pulumi", asked, { encoding: "utf8", env: { ...env } });
  if (error) return "pulumi is not on PATH: docs/deploy.md says how to install it";
  if (status === 0) return undefined;
  return `${stderr.trim().replace(/^error: /, "")}, so nothing was done: \`pulumi ${name} --help\` lists the arguments`;
}

/** Returns those of Pulumi's arguments that name the stack, as other programs take them: Pulumi takes `-sNAME` too. */
export function stackIn(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => {
    if (arg === "--stack" || arg === "-s") return args.slice(at, at + 2);
    return /^(?:--stack=|-s.)/.test(arg) ? [arg.replace(/^-s(?=.)/, "--stack=")] : [];
  });
}
