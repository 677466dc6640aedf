import { access, constants } from "node:fs/promises";
import { messageOf, reasonOf } from "../../errors.ts";
import { openSerialPort, type SerialPort } from "./driver.ts";
import { BoardFault, faultOfStatus } from "./fault.ts";
import { findReply, REPLIES } from "./frame.ts";

/** A reply that has begun comes to its end in a few milliseconds; after so many without a byte it is cut, or not what it was. */
const QUIET = 500;

/** As many bytes of noise are kept. */
const MOST = 4_096;

/** What is asked, and what is an answer to it. */
export interface Question<T> {
  readonly frame: Buffer;
  /** In milliseconds. */
  readonly patience: number;
  /** Reads the body of a reply. @returns undefined for what is an answer to something else */
  read(body: Buffer): T | undefined;
  /** Whether replies to what was asked before may still come, so that a status may be of that. */
  readonly late?: boolean;
}

/** What a question waits for. */
interface Waiting {
  take(body: Buffer): void;
  /** Told whether something that is not whole has begun to come. */
  hear(begun: boolean): void;
  end(fault: BoardFault): void;
}

/** A line to a board, from its opening until it is lost. One question at a time. */
export class Line {
  readonly #port: SerialPort;
  readonly #onEnd: (fault: BoardFault) => void;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | undefined;
  #end: BoardFault | undefined;

  private constructor(port: SerialPort, onEnd: (fault: BoardFault) => void) {
    this.#port = port;
    this.#onEnd = onEnd;
    void this.#listen();
  }

  /**
   * @param onEnd told when it is lost, asked or not
   * @throws BoardFault where the device cannot be opened
   */
  static async open(device: string, onEnd: (fault: BoardFault) => void): Promise<Line> {
    await access(device, constants.R_OK | constants.W_OK).catch((error: NodeJS.ErrnoException) => {
      const kind = error.code === "ENOENT" ? "unplugged" : "port";
      throw new BoardFault(kind, `${device} cannot be opened: ${reasonOf(error)}.`, { cause: error });
    });
    const port = await openSerialPort(device).catch((error: unknown) => {
      const text = messageOf(error).replace(/^Error:? /, "");
      const reason = text.includes("lock port") ? "another program has it" : text;
      throw new BoardFault("port", `${device} cannot be opened: ${reason}.`, { cause: error });
    });
    const line = new Line(port, onEnd);
    await port.flush().catch((error: unknown) => line.#lose(error));
    return line;
  }

  /** Whether it is of no use any more. */
  get isLost(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Asks, and waits for the answer. What came before it was asked is dropped.
   * @throws BoardFault
   */
  async ask<T>({ frame, patience, read, late = false }: Question<T>): Promise<T> {
    if (this.#end !== undefined) throw this.#end;
    this.#received = Buffer.alloc(0);
    const answer = Promise.withResolvers<T>();
    let status: BoardFault | undefined;
    let quiet: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      answer.reject(status ?? new BoardFault("timeout", `The board did not answer within ${patience / 1_000} s.`));
    }, patience);
    const hear = (begun: boolean) => {
      clearTimeout(quiet);
      quiet = begun ? setTimeout(() => answer.reject(garbled()), QUIET) : undefined;
    };
    const take = (body: Buffer) => {
      hear(false);
      const [first = 0] = body;
      if (body.length === REPLIES.status) {
        status = faultOfStatus(first);
        if (!late) answer.reject(status);
        return;
      }
      const value = read(body);
      if (value !== undefined) answer.resolve(value);
    };
    this.#waiting = { take, hear, end: answer.reject };
    this.#port.write(frame).catch((error: unknown) => this.#lose(error));
    try {
      return await answer.promise;
    } finally {
      this.#waiting = undefined;
      clearTimeout(timer);
      clearTimeout(quiet);
    }
  }

  async close(): Promise<void> {
    this.#end ??= new BoardFault("unplugged", "The line to the board was closed.");
    this.#waiting?.end(this.#end);
    await this.#port.close().catch(() => undefined);
  }

  async #listen(): Promise<void> {
    const buffer = Buffer.alloc(1_024);
    try {
      while (this.#end === undefined) {
        const { bytesRead } = await this.#port.read(buffer, 0, buffer.length);
        this.#hear(buffer.subarray(0, bytesRead));
      }
    } catch (error) {
      this.#lose(error);
    }
  }

  /** Takes what came; without a question it is the answer to nothing. */
  #hear(bytes: Buffer): void {
    if (this.#waiting === undefined) return;
    this.#received = Buffer.concat([this.#received, bytes]).subarray(-MOST);
    for (;;) {
      const reply = findReply(this.#received);
      if (reply.found !== "reply") {
        this.#waiting.hear(reply.found === "begun");
        return;
      }
      this.#received = reply.rest;
      this.#waiting.take(reply.body);
    }
  }

  #lose(cause: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = new BoardFault("unplugged", "The board was unplugged, or has started anew.", { cause });
    this.#waiting?.end(this.#end);
    this.#onEnd(this.#end);
  }
}

const garbled = () => new BoardFault("garbled", "What the board answered was cut, or altered on its way.");
