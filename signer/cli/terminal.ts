import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";
import { Failure } from "./failure.ts";
import { harmless, wrap } from "./text.ts";

/** What a command reads from and writes to; tests put their own here. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  /** Results, and nothing else: may be redirected to a file. */
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** Explanations, questions and errors. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}

const ENTER = [0x0d, 0x0a];
const BACKSPACE = [0x08, 0x7f];
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;

/** How long keys are dropped before a question that nobody waited for, in milliseconds. */
const SETTLING = 250;

/** Longer than any answer; what is typed beyond it is dropped. */
const MAX_LINE = 1024;

/** A person at a terminal: what is said to them, and what they answer. Close it when done (`using`). */
export class Terminal implements Disposable {
  readonly #io: Io;
  #raw = false;
  /** The last line ended with a carriage return, so a line feed that follows belongs to it. */
  #afterReturn = false;

  constructor(io: Io) {
    this.#io = io;
  }

  /** Writes a result to standard output, as it is. */
  print(text: string): void {
    this.#io.stdout.write(`${harmless(text)}\n`);
  }

  /** Says something to the user, wrapped at 80 columns; lines that begin with a space stay as they are. */
  say(text = ""): void {
    this.#io.stderr.write(`${wrap(harmless(text))}\n`);
  }

  /** Says something that must not be missed. */
  warn(text: string): void {
    const style = this.#hasColour()
      ? (line: string) => styleText(["bold", "yellow"], line, { validateStream: false })
      : (line: string) => line;
    this.#io.stderr.write(`${style(wrap(harmless(`WARNING: ${text}`)))}\n`);
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
  async confirm(question: string, signal?: AbortSignal): Promise<boolean> {
    return /^y(es)?$/i.test(await this.ask(`${question} [y/N] `, signal));
  }

  /**
   * Drops what was typed before now, and what a finger still types: it was meant for something else than what comes.
   * @throws Failure as {@link ask}
   */
  async dropTyped(): Promise<void> {
    this.requireTerminal();
    this.#io.stdin.setRawMode?.(true);
    this.#raw = true;
    const settled = AbortSignal.timeout(SETTLING);
    const drop = () => this.#collect(Buffer.alloc(MAX_LINE), false, settled);
    for (;;) {
      try {
        await drop();
      } catch (error) {
        if (error === settled.reason) return;
        throw error;
      }
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

  #hasColour(): boolean {
    const { stderr, env } = this.#io;
    return stderr.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
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
    this.requireTerminal();
    const { stdin, stderr } = this.#io;
    stdin.setRawMode?.(true);
    this.#raw = true;
    stderr.write(wrap(question, true));
    const line = Buffer.alloc(MAX_LINE);
    try {
      const length = await this.#collect(line, isShown, signal);
      return Buffer.from(line.subarray(0, length));
    } finally {
      line.fill(0);
      stderr.write("\n");
    }
  }

  /** Reads keys into `line` until Enter. @returns the number of bytes typed */
  #collect(line: Buffer, isShown: boolean, signal?: AbortSignal): Promise<number> {
    const { stdin, stderr } = this.#io;
    let length = 0;
    const { promise, resolve, reject } = Promise.withResolvers<number>();

    const erase = () => {
      // A character may be several bytes in UTF-8: those after the first begin with the bits 10.
      do length--;
      while (length > 0 && ((line[length] ?? 0) & 0xc0) === 0x80);
      line.fill(0, length);
      if (isShown) stderr.write("\b \b");
    };
    const take = (byte: number) => {
      if (BACKSPACE.includes(byte)) {
        if (length > 0) erase();
      } else if (byte === CTRL_U) {
        while (length > 0) erase();
      } else if (byte >= 0x20 && length < MAX_LINE) {
        line[length++] = byte;
        if (isShown) stderr.write(Uint8Array.of(byte));
      }
    };
    const onData = (chunk: Buffer) => {
      for (const [index, byte] of chunk.entries()) {
        const belongsToLast = byte === 0x0a && this.#afterReturn;
        this.#afterReturn = byte === 0x0d;
        if (belongsToLast) continue;
        if (byte === CTRL_C || (byte === CTRL_D && length === 0)) {
          reject(new Failure("interrupted", "Stopped. Nothing was changed."));
          break;
        }
        if (ENTER.includes(byte)) {
          stdin.pause();
          const rest = Buffer.from(chunk.subarray(index + 1));
          if (rest.length > 0) stdin.unshift(rest);
          resolve(length);
          break;
        }
        take(byte);
      }
      chunk.fill(0);
    };
    const onEnd = () => reject(new Failure("interrupted", "The terminal was closed. Nothing was changed."));

    const onAbort = () => reject(signal?.reason);

    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    stdin.on("data", onData).on("end", onEnd).resume();
    return promise.finally(() => {
      signal?.removeEventListener("abort", onAbort);
      stdin.pause().off("data", onData).off("end", onEnd);
    });
  }
}
