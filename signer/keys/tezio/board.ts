import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../../deadline.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";
import { normalise, verifySignature } from "../../tezos/crypto/signature.ts";
import type { FaultLog } from "../fault-log.ts";
import { BoardFault } from "./fault.ts";
import { MODES, OPCODES, REPLIES, request } from "./frame.ts";
import { Line } from "./line.ts";
import { type BoardView, readPoint, type Slot } from "./slots.ts";

/** Half a request that another program left there is given up by the board after 100 ms without a byte. */
const SETTLING = 150;

/** A question, and the line that serves it: once on the one that is there, and where that does no harm once more on a new one. */
const TRIES = 2;

/** Signatures that nobody waited for any more are kept, so many. */
const MOST_LATE = 16;

export interface BoardTimes {
  /** How long a signature may take before the line is given up, in milliseconds; as long as the board's own program waits. */
  readonly signature: number;
  /** How long a public key may take, in milliseconds. */
  readonly key: number;
}

export interface BoardOptions {
  readonly device: string;
  readonly log: FaultLog;
  readonly times: BoardTimes;
  /** Told what each look showed, and whether it was on a new line. */
  readonly onView: (view: BoardView, isNewLine: boolean) => void;
}

/** What is to be signed, and by which key. */
export interface SignQuestion {
  readonly slot: Slot;
  readonly publicKey: PublicKey;
  readonly payload: Uint8Array;
  /** Blake2b-256 of the payload, 32 bytes, by which the answer is known. */
  readonly digest: Uint8Array;
  /** Whether the board moves a mark of its own, so that it refuses the same bytes when it gets them again. */
  readonly isMarked: boolean;
}

/**
 * A board, by way of its serial port. Its replies say neither to what nor whose they are, and one that comes late passes for
 * the next, so: one question at a time; a line on which an answer stayed out, or was broken, is given up; and on a new one a
 * question comes first whose answer looks like no other's: whatever was still to come has come before it.
 */
export class Board {
  readonly #options: BoardOptions;
  #line: Line | undefined;
  #view: BoardView | undefined;
  #fault: BoardFault | undefined;
  #isClosed = false;
  /** The turn of whoever came last; settled when it is over, and never rejected. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Signatures that came after their request's deadline, by key and digest: octez asks for the same bytes again. */
  readonly #late = new Map<string, Buffer>();

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  /** The fault that stands: why nothing can be asked now; undefined once something was answered. */
  get fault(): BoardFault | undefined {
    return this.#fault;
  }

  /** Looks at the keys. @throws BoardFault */
  async look(signal: AbortSignal): Promise<void> {
    await this.#inTurn(signal, async () => {
      const known = this.#line;
      const line = await this.#connected();
      // A new line has just shown them.
      if (line === known) await this.#tried("look", () => this.#show(line, false));
    });
  }

  /**
   * Signs, once. A request that has a mark on the board is sent a second time only where the board has not read it for
   * certain. It is not sent at all once nobody waits for it any more; an answer that comes later than that is kept for whoever
   * asks for the same bytes again.
   * @param signal ends the wait
   * @returns r || s, 64 bytes, as the board answered
   * @throws BoardFault
   */
  sign(question: SignQuestion, signal: AbortSignal): Promise<Buffer> {
    const id = `${question.publicKey.address} ${Buffer.from(question.digest).toString("hex")}`;
    return this.#inTurn(signal, async () => {
      const signature = this.#late.get(id) ?? (await this.#signOnce(question, signal));
      this.#late.delete(id);
      if (signal.aborted) this.#keep(id, signature);
      return signature;
    });
  }

  /** Lets the board go. What is under way ends without an answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#drop();
    await this.#turn;
  }

  /** Runs `work` when all who came before are done, unless nobody waits for it any more. */
  #inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const late = () => this.#fault ?? new BoardFault("timeout", "It did not answer before the request's deadline.");
    const turn = this.#turn.then(() => {
      if (signal.aborted) throw late();
      return work();
    });
    this.#turn = turn.catch(() => undefined);
    return within(turn, signal, late);
  }

  async #signOnce(question: SignQuestion, signal: AbortSignal): Promise<Buffer> {
    const { slot, publicKey, payload, digest, isMarked } = question;
    for (let tries = 1; ; tries += 1) {
      const line = await this.#connected();
      try {
        return await this.#tried("sign", async () => {
          if (this.#view?.[slot]?.address !== publicKey.address) {
            throw new BoardFault("key-missing", `The board does not show ${publicKey.address}.`);
          }
          const signature = await line.ask({
            frame: request(OPCODES.sign, slot, MODES.message, payload),
            patience: this.#options.times.signature,
            read: (body) => (body.length === REPLIES.signature ? body : undefined),
          });
          // It is for others to refuse it; what else this line has to say is not to be trusted.
          if (!verifySignature(publicKey, digest, normalise(publicKey.curve, signature))) await this.#drop();
          return signature;
        });
      } catch (error) {
        const { reconnects, isUnread } = error as BoardFault;
        const isHarmless = isUnread || (reconnects && !isMarked);
        if (tries === TRIES || signal.aborted || !isHarmless) throw error;
      }
    }
  }

  #keep(id: string, signature: Buffer): void {
    this.#late.set(id, signature);
    for (const oldest of this.#late.keys()) if (this.#late.size > MOST_LATE) this.#late.delete(oldest);
  }

  /** The line, opened where there is none. @throws BoardFault */
  async #connected(): Promise<Line> {
    if (this.#line !== undefined) return this.#line;
    this.#requireOpen();
    try {
      return await this.#tried("look", () => this.#connect());
    } catch (error) {
      await this.#drop();
      throw error;
    }
  }

  async #connect(): Promise<Line> {
    const { device, times } = this.#options;
    const line = await Line.open(device);
    this.#line = line;
    await sleep(SETTLING);
    this.#requireOpen();
    await line.ask({
      frame: request(OPCODES.publicKey, 3, MODES.compressed),
      patience: times.key,
      read: (body) => (body.length === REPLIES.compressed ? body : undefined),
      late: true,
    });
    await this.#show(line, true);
    return line;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new BoardFault("unplugged", "The signer is being stopped.");
  }

  /** Asks for the public keys, and tells them. */
  async #show(line: Line, isNewLine: boolean): Promise<void> {
    const point = (slot: Slot) =>
      line.ask({
        frame: request(OPCODES.publicKey, slot, MODES.point),
        patience: this.#options.times.key,
        read: (body) => (body.length === REPLIES.point ? { key: readPoint(slot, body) } : undefined),
      });
    const [{ key: second }, { key: third }] = [await point(2), await point(3)];
    this.#view = { 2: second, 3: third };
    this.#options.onView(this.#view, isNewLine);
  }

  /** Notes how it went; a line that is of no use any more is given up. @throws BoardFault */
  async #tried<T>(what: "look" | "sign", work: () => Promise<T>): Promise<T> {
    try {
      const answer = await work();
      this.#fault = undefined;
      this.#options.log.success();
      return answer;
    } catch (error) {
      if (!(error instanceof BoardFault)) throw error;
      this.#note(error, what);
      if (error.reconnects) await this.#drop();
      throw error;
    }
  }

  #note(fault: BoardFault, what: "look" | "sign"): void {
    if (this.#isClosed) return;
    // A board that refuses a signature is there.
    this.#fault = what === "sign" && fault.isRefusal ? undefined : fault;
    this.#options.log.fault(fault, { device: this.#options.device });
  }

  async #drop(): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    await line?.close();
  }
}
