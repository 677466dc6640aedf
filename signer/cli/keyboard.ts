import type { Readable, Writable } from "node:stream";
import { Failure } from "./failure.ts";

const ENTER = [0x0d, 0x0a];
const BACKSPACE = [0x08, 0x7f];
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;
const ESCAPE = 0x1b;

/** Longer than any answer; what is typed beyond it is dropped. */
export const MAX_LINE = 1024;

/** More than two numbers of a terminal's size need. */
const MOST_PARAMETERS = 16;

/** What the next byte belongs to: a line, or one of a terminal's sequences (ESC, ESC [ …, ESC O …). */
type State = "text" | "escape" | "control" | "single";

/** The keys of a terminal in raw mode: lines are made of them here. What arrows and other keys send is no text. */
export class Keyboard {
  readonly #stdin: Readable;
  readonly #echo: Writable;
  /** The last line ended with a carriage return, so a line feed that follows belongs to it. */
  #afterReturn = false;
  #state: State = "text";
  #shown = "";
  #reports = false;
  /** The parameters of the sequence that is being read. */
  #parameters = "";
  /** The columns of the reports that the terminal owes: one for a question that was taken back meanwhile is not the next one's. */
  #owed: number[] = [];
  #onReport: () => void = () => undefined;

  constructor(stdin: Readable, echo: Writable) {
    this.#stdin = stdin;
    this.#echo = echo;
  }

  /** Whether the terminal has said where its cursor is, ever. */
  get reports(): boolean {
    return this.#reports;
  }

  /** What is typed so far of a line that is shown. */
  get typed(): string {
    return this.#shown;
  }

  /**
   * Drops every key until a time is over.
   * @throws Failure `interrupted` for Ctrl-C
   */
  async drop(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      try {
        await this.collect(Buffer.alloc(MAX_LINE), false, until);
      } catch (error) {
        if (error !== until.reason) throw error;
      }
    }
  }

  /**
   * Drops every key until the terminal says where its cursor is, as often as it was asked: what comes after was typed
   * after. It was asked just before.
   * @param column where the cursor is, from 1: no other report counts
   * @param until gives up
   * @throws Failure `interrupted` for Ctrl-C
   */
  async dropUntilReport(column: number, until: AbortSignal): Promise<void> {
    const reported = new AbortController();
    this.#owed.push(column);
    this.#onReport = () => reported.abort();
    try {
      await this.drop(AbortSignal.any([until, reported.signal]));
    } finally {
      this.#onReport = () => undefined;
      // One that has not come in all that time does not come any more.
      if (until.reason instanceof DOMException && until.reason.name === "TimeoutError") this.#owed = [];
    }
  }

  /**
   * Reads keys into `line` until Enter.
   * @returns the number of bytes typed
   * @throws Failure `interrupted` for Ctrl-C, Ctrl-D, or a terminal that is closed; the signal's reason
   */
  collect(line: Buffer, isShown: boolean, signal?: AbortSignal): Promise<number> {
    const stdin = this.#stdin;
    let length = 0;
    const { promise, resolve, reject } = Promise.withResolvers<number>();

    const show = (bytes: Uint8Array | string) => {
      if (!isShown) return;
      this.#echo.write(bytes);
      this.#shown = line.toString("utf8", 0, length);
    };
    const erase = () => {
      // A character may be several bytes in UTF-8: those after the first begin with the bits 10.
      do length--;
      while (length > 0 && ((line[length] ?? 0) & 0xc0) === 0x80);
      line.fill(0, length);
      show("\b \b");
    };
    const take = (byte: number) => {
      if (BACKSPACE.includes(byte)) {
        if (length > 0) erase();
      } else if (byte === CTRL_U) {
        while (length > 0) erase();
      } else if (byte >= 0x20 && length < MAX_LINE) {
        line[length++] = byte;
        show(Uint8Array.of(byte));
      }
    };
    const putBack = (rest: Buffer) => {
      if (rest.length > 0) stdin.unshift(Buffer.from(rest));
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
        if (this.#isOfSequence(byte)) {
          // What was typed after a report is kept for whoever waited for it.
          if (!signal?.aborted) continue;
          stdin.pause();
          putBack(chunk.subarray(index + 1));
          break;
        }
        if (ENTER.includes(byte)) {
          stdin.pause();
          putBack(chunk.subarray(index + 1));
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
      this.#shown = "";
    });
  }

  /** Follows the sequences that a terminal sends for keys and reports. @returns whether the byte belongs to one */
  #isOfSequence(byte: number): boolean {
    switch (this.#state) {
      case "text":
        if (byte !== ESCAPE) return false;
        this.#state = "escape";
        return true;
      case "escape":
        this.#state = byte === 0x5b ? "control" : byte === 0x4f ? "single" : "text";
        this.#parameters = "";
        // A lone Escape and then another key: that one is meant.
        return this.#state !== "text";
      case "single":
        this.#state = "text";
        return true;
      case "control":
        if (byte < 0x20) {
          this.#state = "text";
          return false;
        }
        if (byte < 0x40 || byte > 0x7e) {
          if (this.#parameters.length < MOST_PARAMETERS) this.#parameters += String.fromCharCode(byte);
          return true;
        }
        this.#state = "text";
        if (byte === 0x52) this.#report(this.#parameters);
        return true;
    }
  }

  /**
   * Takes what may be a report, ESC [ row ; column R, if the cursor is where it must be. F3 with Shift, Alt or Ctrl sends the
   * same for a place in the first row and not in the first column (ESC [ 1 ; 2 R), where no prompt of ours ends.
   */
  #report(parameters: string): void {
    const [, row, column] = /^(\d+);(\d+)$/.exec(parameters)?.map(Number) ?? [];
    if (column === undefined || column !== this.#owed[0] || (row === 1 && column > 1)) return;
    this.#reports = true;
    this.#owed.shift();
    if (this.#owed.length === 0) this.#onReport();
  }
}
