import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import type { Answer } from "../harness/pseudo-terminal.ts";

export type Answers = readonly (readonly [prompt: RegExp, answer: Answer])[];

/** What a command left on the screen. */
export interface Shown {
  readonly status: number;
  /** Without the command itself. */
  readonly output: string;
}

/** A shell's arguments and the environment that make it one for {@link Terminal}. */
export const SHELL = ["/bin/bash", "--noprofile", "--norc", "--noediting", "-i"];
export const PROMPTS = { PS1: "[$? done] ", PS2: "[more] ", TERM: "xterm" };
const PROMPT = /\[(\d+) done\] $/;
const MORE = /\[more\] $/;
const ESCAPE = String.fromCharCode(27);
/** A line begun anew and erased (ECMA-48: CHA, EL): npm turns a wheel there while it waits, and leaves nothing of it. */
const REDRAWN = `${ESCAPE}[1G${ESCAPE}[0K`;
/** The same as npm 9 does it for its bar: what is right of the bar is erased, and the next one is written over it. */
const WRITTEN_OVER = new RegExp(`${ESCAPE}\\[0?K\\r(?!\\n)`, "g");

// Ends a command that hangs, and says nothing of how fast it should be: the test itself ends after twelve minutes.
const PATIENCE = 600_000;
/** Characters of a screen that a failure shows: npm's wheel alone writes hundreds of thousands. */
const SHOWN = 10_000;

/** A person's window with bash in it, which keeps its variables and its folder from one command to the next. */
export class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #patience: number;
  #screen = "";
  #look: () => void = () => {};
  readonly #watchers = new Set<() => void>();

  /**
   * @param command ends in {@link SHELL}, with {@link PROMPTS} in its environment
   * @param patience with each command, in milliseconds
   */
  static async open(command: readonly string[], env: NodeJS.ProcessEnv = {}, patience = PATIENCE): Promise<Terminal> {
    const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const options = ["--quiet", "--return", "--echo", "always", "--command", words, "/dev/null"];
    const child = spawn("script", options, { env: { SHELL: "/bin/sh", ...env }, stdio: "pipe" });
    const terminal = new Terminal(child, patience);
    await terminal.#until([PROMPT], []);
    return terminal;
  }

  private constructor(child: ChildProcessWithoutNullStreams, patience: number) {
    this.#child = child;
    this.#patience = patience;
    child.stdin.on("error", () => {}); // the shell has ended, and the wait for its prompt says so
    child.stdout.on("data", (chunk: Buffer) => {
      this.#screen += chunk.toString("utf8").replace(WRITTEN_OVER, REDRAWN).replaceAll("\r", "");
      this.#look();
      for (const watch of this.#watchers) watch();
    });
    child.on("close", () => this.#look());
  }

  /**
   * Types a command and answers what it asks.
   * @param answers a prompt's text and what to type then, which may depend on what the command has shown
   * @throws Error with the screen, where it does not end
   */
  async type(lines: readonly string[], answers: Answers = []): Promise<Shown> {
    this.#screen = "";
    for (const [index, line] of lines.entries()) {
      this.#child.stdin.write(`${line}\r`);
      await this.#until(index < lines.length - 1 ? [MORE] : [PROMPT], answers);
    }
    const status = Number(PROMPT.exec(this.#screen)?.[1]);
    const shown = this.#screen.replace(PROMPT, "").split("\n").slice(lines.length);
    return { status, output: shown.map((line) => line.split(REDRAWN).at(-1)).join("\n") };
  }

  /** Waits until the command that runs has shown something. @returns what it has shown so far */
  shows(what: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const watch = () => {
        if (!what.test(this.#screen)) return;
        this.#watchers.delete(watch);
        resolve(this.#screen);
      };
      this.#watchers.add(watch);
    });
  }

  /** Closes the window. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, "close");
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), 5_000); // a command that hangs is hung up on
    this.#child.stdin.write("exit\r");
    await ended;
    clearTimeout(patience);
  }

  /** Waits until the screen ends in a prompt of the shell's, and answers those of the program. */
  #until(ends: readonly RegExp[], answers: Answers): Promise<void> {
    let read = this.#screen.length;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(patience);
        this.#look = () => {};
        act();
      };
      const screen = () => stripVTControlCharacters(this.#screen).slice(-SHOWN);
      const fail = (what: string) => settle(() => reject(new Error(`${what}. The screen:\n${screen()}`)));
      const patience = setTimeout(
        () => fail(`The command did not end within ${this.#patience / 1000} s`),
        this.#patience,
      );
      this.#look = () => {
        const news = this.#screen.slice(read);
        if (ends.some((end) => end.test(news))) return settle(resolve);
        if (this.#child.exitCode !== null) return fail("The shell has ended");
        const answer = answers.find(([prompt]) => prompt.test(news))?.[1];
        if (answer === undefined) return;
        read = this.#screen.length;
        this.#child.stdin.write(`${typeof answer === "string" ? answer : answer(this.#screen)}\r`);
      };
    });
  }
}
