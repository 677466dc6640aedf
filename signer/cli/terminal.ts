import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";
import { visibleJson } from "../invisible-characters.ts";
import { Failure } from "./failure.ts";
import { Keyboard, MAX_LINE } from "./keyboard.ts";
import { harmless, wrap } from "./text.ts";

/** What a command reads from and writes to; tests put their own here. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  /** Results, and nothing else: may be redirected to a file. */
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** Explanations, questions and errors. */
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How long keys are dropped before a prompt that nobody waited for, in milliseconds, where the terminal does not tell. */
const SETTLING = 250;
/** How long a terminal has to say where its cursor is: at the start, and once it has shown that it can. */
const FIRST_REPORT = 2_000;
const LATER_REPORT = 60_000;
/** Asks a terminal where its cursor is (ECMA-48 DSR 6). It answers once it has shown whatever was written before. */
const WHERE = "\x1b[6n";
const BELL = "\x07";

/** A line for a person, of which nothing can steer the terminal. */
export interface StyledLine {
  readonly text: string;
  readonly isWarning?: boolean;
}

/** Bold magenta: it stands out on a dark terminal and is readable on a light one, where yellow is not. */
const WARNING_STYLE = ["bold", "magenta"] as const;

/** Tells whether a terminal may be told colours (no-color.org). */
export function hasColour({ stderr, env }: Pick<Io, "stderr" | "env">): boolean {
  return stderr.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

/** Returns a line as a terminal is to be sent it. */
export function styled({ text, isWarning = false }: StyledLine, colour: boolean): string {
  return isWarning && colour ? styleText([...WARNING_STYLE], text, { validateStream: false }) : text;
}

/** A person at a terminal: what is said to them, and what they answer. Close it when done (`using`). */
export class Terminal implements Disposable {
  readonly #io: Io;
  readonly #keyboard: Keyboard;
  #raw = false;

  constructor(io: Io) {
    this.#io = io;
    this.#keyboard = new Keyboard(io.stdin, io.stderr);
  }

  /** Columns and rows; what is usual where the terminal does not tell, as a serial line does not. */
  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#io.stderr;
    return { columns: columns || 80, rows: rows || 24 };
  }

  /** Writes a result to standard output, as it is. */
  print(text: string): void {
    this.#io.stdout.write(`${harmless(text)}\n`);
  }

  /** Writes a result for programs to standard output, on one line. */
  printJson(value: unknown): void {
    this.#io.stdout.write(`${visibleJson(JSON.stringify(value))}\n`);
  }

  /** Says something to the user, wrapped at 80 columns; lines that begin with a space stay as they are. */
  say(text = ""): void {
    this.#io.stderr.write(`${wrap(harmless(text))}\n`);
  }

  /** Says something that must not be missed. */
  warn(text: string): void {
    this.show([{ text: wrap(harmless(`WARNING: ${text}`)), isWarning: true }]);
  }

  /** Shows lines that are laid out already. */
  show(lines: readonly StyledLine[]): void {
    const colour = hasColour(this.#io);
    this.#io.stderr.write(lines.map((line) => `${styled(line, colour)}\n`).join(""));
  }

  /**
   * Asks for a line, shown while it is typed.
   * @param signal takes the question back
   * @throws Failure `usage` without a terminal, `interrupted` for Ctrl-C; the signal's reason
   */
  async ask(question: string, signal?: AbortSignal): Promise<string> {
    return (await this.#readLine(question, true, signal)).toString("utf8").trim();
  }

  /**
   * Asks for a line that is not shown. The caller wipes it. From here until the terminal is closed nothing typed is
   * shown, so that a passphrase typed too early is not either.
   * @throws Failure as {@link ask}
   */
  async askSecret(question: string): Promise<Buffer> {
    return await this.#readLine(question, false);
  }

  /** Asks a question that only "y" or "yes" answers with yes. */
  async confirm(question: string): Promise<boolean> {
    return /^y(es)?$/i.test(await this.ask(`${question} [y/N] `));
  }

  /** Rings the bell. */
  ring(): void {
    this.#io.stderr.write(BELL);
  }

  /** Calls `act` whenever the terminal gets another size, until that is disposed of. */
  onResize(act: () => void): Disposable {
    const { stderr } = this.#io;
    stderr.on("resize", act);
    return { [Symbol.dispose]: () => stderr.off("resize", act) };
  }

  /**
   * Finds out whether this terminal says what it has shown, which {@link askUnexpected} builds on.
   * @throws Failure as {@link ask}
   */
  async prepare(): Promise<void> {
    this.#takeKeys();
    const { TERM = "" } = this.#io.env;
    if (["", "dumb"].includes(TERM)) return;
    await this.#write(`\r${WHERE}`);
    await this.#keyboard.dropUntilReport(1, AbortSignal.timeout(FIRST_REPORT));
  }

  /**
   * Asks a question that nobody waited for. Nothing counts that was typed before its prompt could be seen: the terminal
   * itself says when it has shown it, where it can; else keys are dropped until all is written, and for a moment more.
   * @param lines what stands above the prompt, laid out already
   * @param prompt made anew every second: it may count, is ASCII on one line, and always has the same length
   * @param signal takes the question back
   * @throws Failure as {@link ask}; the signal's reason
   */
  async askUnexpected(lines: readonly StyledLine[], prompt: () => string, signal: AbortSignal): Promise<string> {
    this.#takeKeys();
    this.show(lines);
    await this.#write("");
    if (this.#keyboard.reports) {
      const shown = prompt();
      await this.#write(`${shown}${WHERE}`);
      const until = AbortSignal.any([signal, AbortSignal.timeout(LATER_REPORT)]);
      await this.#keyboard.dropUntilReport(shown.length + 1, until);
    } else {
      await this.#keyboard.drop(AbortSignal.any([signal, AbortSignal.timeout(SETTLING)]));
      await this.#write(prompt());
    }
    const clock = setInterval(() => this.#io.stderr.write(`\r${prompt()}${this.#keyboard.typed}`), 1_000);
    try {
      return (await this.#line(true, signal)).toString("utf8").trim();
    } finally {
      clearInterval(clock);
    }
  }

  /** @throws Failure `declined` unless the answer is yes */
  async insist(question: string): Promise<void> {
    if (!(await this.confirm(question))) throw new Failure("declined", "Nothing was changed.");
  }

  /**
   * Shows a secret on the terminal's other screen while `act` runs, so that it does not stay in the scrollback.
   * @param act asks the user to go on
   */
  async showBriefly(text: string, act: () => Promise<unknown>): Promise<void> {
    this.requireTerminal();
    const hasScreens = !["", "dumb"].includes(this.#io.env.TERM ?? "");
    this.#io.stderr.write(hasScreens ? `\x1b[?1049h\x1b[2J\x1b[H${wrap(text)}\n` : `${wrap(text)}\n`);
    try {
      await act();
    } finally {
      if (hasScreens) this.#io.stderr.write("\x1b[2J\x1b[H\x1b[?1049l");
    }
  }

  /** Gives the terminal back as it was, so that Ctrl-C works while a command waits for something else than keys. */
  release(): void {
    if (this.#raw) this.#io.stdin.setRawMode?.(false);
    this.#raw = false;
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /**
   * Questions go to standard error, since standard output may be redirected; both ends must be a person's.
   * @throws Failure `usage` where one is not
   */
  requireTerminal(): void {
    const { stdin, stderr } = this.#io;
    if (stdin.isTTY && stderr.isTTY) return;
    throw new Failure(
      "usage",
      "This command asks questions and needs a terminal. Run it in one, without a pipe; over SSH, use: ssh -t",
    );
  }

  async #readLine(question: string, isShown: boolean, signal?: AbortSignal): Promise<Buffer> {
    this.#takeKeys();
    this.#io.stderr.write(wrap(question, true));
    return await this.#line(isShown, signal);
  }

  async #line(isShown: boolean, signal?: AbortSignal): Promise<Buffer> {
    const line = Buffer.alloc(MAX_LINE);
    try {
      const length = await this.#keyboard.collect(line, isShown, signal);
      return Buffer.from(line.subarray(0, length));
    } finally {
      line.fill(0);
      this.#io.stderr.write("\n");
    }
  }

  /** Has every key come here at once and unseen. @throws Failure `usage` without a terminal */
  #takeKeys(): void {
    this.requireTerminal();
    this.#io.stdin.setRawMode?.(true);
    this.#raw = true;
  }

  /** Writes to the person and waits until the terminal's driver has it. */
  #write(text: string): Promise<void> {
    return new Promise((resolve) => this.#io.stderr.write(text, () => resolve()));
  }
}
