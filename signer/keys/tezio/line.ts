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

/** A question that waits for its answer. */
interface Waiting {
  take(body: Buffer): void;
  /** Told whether something that is not whole has begun to come. */
  hear(begun: boolean): void;
  end(fault: BoardFault): void;
}

/**
 * A line to a board, from its opening until it is lost. One question at a time. Nothing is read while none is asked: to close
 * a port within a read may leave the read with another file of the same number.
 */
export class Line {
  readonly #port: SerialPort;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | undefined;
  #end: BoardFault | undefined;

  private constructor(port: SerialPort) {
    this.#port = port;
  }

  /** @throws BoardFault where the device cannot be opened */
  static async open(device: string): Promise<Line> {
    await access(device, constants.R_OK | constants.W_OK).catch((error: NodeJS.ErrnoException) => {
      const kind = error.code === "ENOENT" ? "unplugged" : "port";
      throw new BoardFault(kind, `${device} cannot be opened: ${reasonOf(error)}.`, { cause: error });
    });
    const port = await openSerialPort(device).catch((error: unknown) => {
      const text = messageOf(error).replace(/^Error:? /, "");
      const reason = text.includes("lock port") ? "another program has it" : text;
      throw new BoardFault("port", `${device} cannot be opened: ${reason}.`, { cause: error });
    });
    return new Line(port);
  }

  /**
   * Asks, and waits for the answer. What came before it was asked is dropped.
   * @throws BoardFault; where it is none of the board's own, and comes by itself, the line is to be closed
   */
  ask<T>({ frame, patience, read, late = false }: Question<T>): Promise<T> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const answer = Promise.withResolvers<T>();
    let status: BoardFault | undefined;
    let quiet: NodeJS.Timeout | undefined;
    const done = (settle: () => void) => {
      this.#waiting = undefined;
      clearTimeout(timer);
      clearTimeout(quiet);
      settle();
    };
    const end = (fault: BoardFault) => done(() => answer.reject(fault));
    const timer = setTimeout(() => {
      end(status ?? new BoardFault("timeout", `The board did not answer within ${patience / 1_000} s.`));
    }, patience);
    const hear = (begun: boolean) => {
      clearTimeout(quiet);
      quiet = begun ? setTimeout(() => end(garbled()), QUIET) : undefined;
    };
    const take = (body: Buffer) => {
      if (body.length === REPLIES.status) {
        status = faultOfStatus(body[0] ?? 0);
        if (!late) end(status);
        return;
      }
      const value = read(body);
      if (value !== undefined) done(() => answer.resolve(value));
    };
    this.#waiting = { take, hear, end };
    void this.#send(frame);
    return answer.promise;
  }

  /** Closes the port, once. */
  async close(): Promise<void> {
    this.#lose(new BoardFault("unplugged", "The line to the board was closed."));
    await this.#port.close().catch(() => undefined);
  }

  async #send(frame: Buffer): Promise<void> {
    try {
      await this.#port.flush();
      this.#received = Buffer.alloc(0);
      void this.#listen();
      await this.#port.write(frame);
    } catch (cause) {
      // The board has no request of which the end is missing.
      this.#lose(new BoardFault("unplugged", LOST, { cause, isUnread: true }));
    }
  }

  /** Reads until the answer has come. */
  async #listen(): Promise<void> {
    const buffer = Buffer.alloc(1_024);
    try {
      while (this.#waiting !== undefined) {
        const { bytesRead } = await this.#port.read(buffer, 0, buffer.length);
        this.#received = Buffer.concat([this.#received, buffer.subarray(0, bytesRead)]).subarray(-MOST);
        this.#hear();
      }
    } catch (cause) {
      this.#lose(new BoardFault("unplugged", LOST, { cause }));
    }
  }

  /** Takes what has come until there is the answer in it. */
  #hear(): void {
    while (this.#waiting !== undefined) {
      const reply = findReply(this.#received);
      this.#waiting.hear(reply.found === "begun");
      if (reply.found !== "reply") return;
      this.#received = reply.rest;
      this.#waiting.take(reply.body);
    }
  }

  #lose(fault: BoardFault): void {
    this.#end ??= fault;
    this.#waiting?.end(this.#end);
  }
}

const LOST = "The board was unplugged, or has started anew.";

const garbled = () => new BoardFault("garbled", "What the board answered was cut, or altered on its way.");
