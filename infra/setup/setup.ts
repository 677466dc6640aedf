/**
 * Asks for a stack's configuration and writes its file. Contacts nothing.
 * @module
 */
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { ownKeys } from "../config/namespaces.ts";
import { ConfigurationError, parseConfig } from "../config/parse.ts";
import { judge } from "../config/reasons.ts";
import { decode, KEYS, type Key } from "../config/schema.ts";
import { groupMistake } from "../config/stack-name.ts";
import { readStackFile } from "../plan/stack-file.ts";
import { misplaced, stackFile } from "../stack-folder.ts";
import { type Draft, QUESTIONS, type Question, withConsequences } from "./questions.ts";
import { withSettings } from "./stack-text.ts";

const PROJECT = "tezos-signer";

/** A person, or a script that has answered beforehand. */
export interface Asker {
  /** Answers by the option's name. */
  readonly given: Readonly<Record<string, string | undefined>>;
  say(line: string): void;
  /** Asks for a line; undefined where nobody can be asked. */
  readonly ask: ((prompt: string) => Promise<string>) | undefined;
}

/** An answer, or the place of a stack's file, is wrong or missing, and nobody can be asked again. */
export class WrongAnswer extends Error {}

export interface SetupOptions {
  /** The project's, where the stacks' folder is. */
  readonly folder: string;
  /** Whether a file that is there is taken without asking. */
  readonly change: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Asks, checks and writes.
 * @returns the stack's name, and its file's path from the folder
 * @throws WrongAnswer; the asker's own, and then nothing is written
 */
export async function setUp(
  asker: Asker,
  { folder, change, now }: SetupOptions,
): Promise<{ readonly stack: string; readonly file: string }> {
  const misplacement = misplaced(folder);
  if (misplacement !== undefined) throw new WrongAnswer(misplacement);
  const answers: Draft = { production: "" };
  await answer(asker, QUESTIONS[0] as Question, answers, now);
  const stack = await askName(asker, answers.production === "true" ? "mainnet" : "test");
  const file = stackFile(stack);
  const path = join(folder, file);
  const before = textOf(path);
  if (before !== undefined && !change) await askForChange(asker, file);
  const there = Object.keys(before === undefined ? {} : ownKeys(readStackFile(before, PROJECT), PROJECT).config);
  for (const question of QUESTIONS.slice(1)) await answer(asker, question, answers, now);
  for (;;) {
    const text = withSettings(before, PROJECT, withConsequences(answers, there));
    try {
      // Judged as Pulumi and the program will read it, with what the file had besides.
      parseConfig(ownKeys(readStackFile(text, PROJECT), PROJECT).config, stack, now);
      write(path, text, before !== undefined);
      return { stack, file };
    } catch (error) {
      await askAgain(asker, error, answers, now);
    }
  }
}

/** Asks once more what does not fit beside the other answers. @throws the error, where that is not asked here */
async function askAgain(asker: Asker, error: unknown, answers: Draft, now: number): Promise<void> {
  if (!(error instanceof ConfigurationError) || asker.ask === undefined) throw error;
  const keys = error.mistakes.map(({ key }) => key);
  const again = QUESTIONS.filter(({ key }) => keys.includes(key));
  if (again.length < new Set(keys).size) throw error;
  for (const { where, value, reason } of error.mistakes) asker.say(`\n  ${where} = ${value}: ${reason}`);
  for (const question of again) await answer({ ...asker, given: {} }, question, answers, now);
}

async function askName(asker: Asker, usual: string): Promise<string> {
  const why = ["It names the resource group and the stack's file."];
  return untilRight(asker, { option: "stack", prompt: "The stack's name", why, usual }, (name) => {
    // A name is a part of a file's.
    const mistake = /[/\\]/.test(name) ? "has a slash in it" : groupMistake(name);
    if (mistake !== undefined) throw new WrongAnswer(`the stack's name ${mistake}`);
    return name;
  });
}

async function askForChange({ ask }: Asker, file: string): Promise<void> {
  const yes = await ask?.(`${file} is there. Change it, and keep in it what is not asked? [y/N] `);
  if (!/^y(es)?$/i.test(yes?.trim() ?? "")) throw new WrongAnswer(`${file} is there: --change changes it`);
}

/** Has a question answered, and puts what it sets into the draft. */
async function answer(asker: Asker, question: Question, draft: Draft, now: number): Promise<void> {
  const { key, value = (text: string) => text, isAsked, unlessGiven } = question;
  if (isAsked?.(draft) === false) {
    if (asker.given[question.option] !== undefined) throw new WrongAnswer(`--${question.option} is for production`);
    return;
  }
  const usual = key === "sshPublicKey" ? ownSshKey() : unlessGiven?.(draft);
  draft[key] = await untilRight(asker, { ...question, usual }, (text) => {
    if (text === "" && usual === "") return undefined;
    const set = value(key === "sshPublicKey" ? contentOf(text) : text, now);
    refuseWrong(key, set);
    return set;
  });
}

interface Asked extends Pick<Question, "option" | "prompt" | "why"> {
  /** What an empty answer stands for. */
  readonly usual: string | undefined;
}

/** Asks until an answer is taken; one that was given beforehand is taken, or is the end. */
async function untilRight<T>(asker: Asker, asked: Asked, take: (text: string) => T): Promise<T> {
  const { option, prompt, why, usual } = asked;
  const given = asker.given[option];
  if (given !== undefined || asker.ask === undefined) {
    const text = given || usual;
    if (text === undefined) throw new WrongAnswer(`--${option} is missing: ${prompt.toLowerCase()}`);
    return told(option, () => take(text));
  }
  for (const line of ["", ...why]) asker.say(line);
  for (;;) {
    const shown = usual === undefined || usual === "" ? "" : ` [${usual.slice(0, 40)}]`;
    const text = (await asker.ask(`${prompt}${shown}: `)).trim();
    try {
      return take(text === "" ? (usual ?? "") : text);
    } catch (error) {
      if (!(error instanceof WrongAnswer)) throw error;
      asker.say(`  ${error.message}`);
    }
  }
}

function told<T>(option: string, take: () => T): T {
  try {
    return take();
  } catch (error) {
    throw error instanceof WrongAnswer ? new WrongAnswer(`--${option}: ${error.message}`) : error;
  }
}

/** Judges a value as the program does; alone where that can be said of it. */
function refuseWrong(name: Question["key"], value: unknown): void {
  const { schema, unset }: Key = KEYS[name];
  const result = judge(schema, typeof value === "string" ? decode(value, unset) : value, name);
  const alone = "data" in result ? [] : result.findings.map(({ value: text, reason }) => `${text} ${reason}`.trim());
  if (alone.length > 0) throw new WrongAnswer(alone.join("; "));
}

/** What an SSH key's file has, where a file is named. */
function contentOf(text: string): string {
  if (!text.endsWith(".pub")) return text;
  try {
    return readFileSync(text.replace(/^~(?=\/)/, homedir()), "utf8").trim();
  } catch (error) {
    throw new WrongAnswer(`${text} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** The file of the key that ssh-keygen makes. */
function ownSshKey(): string | undefined {
  return existsSync(join(homedir(), ".ssh/id_ed25519.pub")) ? "~/.ssh/id_ed25519.pub" : undefined;
}

/** @returns undefined where there is no such file. @throws WrongAnswer where it cannot be read */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new WrongAnswer(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Writes whole or not at all; over a file only where one was found and its change was wanted. @throws WrongAnswer */
function write(path: string, text: string, over: boolean): void {
  const draft = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, text, { flag: "wx" });
    if (over) renameSync(draft, path);
    else linkSync(draft, path);
  } catch (error) {
    // A checkout of somebody else's, a disk that is full.
    throw new WrongAnswer(`${path} cannot be written (${(error as NodeJS.ErrnoException).code})`);
  } finally {
    rmSync(draft, { force: true });
  }
}
