import { rmSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, Faults } from "./faults.ts";
import { type Compiled, Firmware, type Secrets } from "./firmware.ts";
import { type Packet, readPacket, reply } from "./packets.ts";
import { openSerialLine, type SerialLine } from "./serial-line.ts";

/** Without a byte for so long, in milliseconds, a packet is taken for what has come of it. */
const IDLE = 100;

/** The board's buffer; it does not look whether a packet fits. */
const BUFFER = 1_024;

const START = 0x03;

export interface BoardOptions extends Compiled {
  /** Where the terminal is to be found, as udev's links in /dev/serial/by-id/ are. */
  readonly path: string;
  readonly secrets: Secrets;
}

/** A Tezio board on a pseudo-terminal, byte by byte as its firmware does it (prof-groff/tezio, bc67eef). */
export class TezioBoard implements AsyncDisposable {
  readonly faults = new Faults();
  /** Requests that were read well, in their order. */
  readonly requests: Packet[] = [];
  /** Packets that have come and are not answered yet. */
  waiting = 0;
  /** From when it is plugged in next; others are another board's. */
  secrets: Secrets;
  /** Whether a packet was longer than the buffer: on a board anything may follow. */
  overran = false;
  readonly #options: BoardOptions;
  #line: SerialLine | undefined;
  #plugging: Promise<void> | undefined;
  #firmware: Firmware;
  #received: Buffer = Buffer.alloc(0);
  #idle: NodeJS.Timeout | undefined;
  /** Requests are served one after another. */
  #serving: Promise<unknown> = Promise.resolve();
  #held: (() => void)[] = [];
  #ending: Promise<unknown> = Promise.resolve();

  private constructor(options: BoardOptions) {
    this.#options = options;
    this.secrets = options.secrets;
    this.#firmware = new Firmware(options, this.secrets);
  }

  /** Makes a board and plugs it in. */
  static async start(options: BoardOptions): Promise<TezioBoard> {
    const board = new TezioBoard(options);
    await board.plugIn();
    return board;
  }

  /** How often it was asked for a signature, by requests that it could read. */
  get signs(): number {
    return this.requests.filter(({ opcode }) => opcode === 0x21).length;
  }

  /** Puts the cable in, where it is not in already. */
  plugIn(): Promise<void> {
    if (this.#plugging !== undefined) return this.#plugging;
    const plugging = Promise.withResolvers<void>();
    this.#plugging = plugging.promise;
    this.#plug(() => this.#plugging === plugging.promise).then(plugging.resolve, plugging.reject);
    return plugging.promise;
  }

  /** Takes the cable out: the terminal is gone, and so is whatever the board had in its memory. */
  unplug(): void {
    rmSync(this.#options.path, { force: true });
    this.#ending = Promise.all([this.#ending, this.#plugging, this.#line?.end()]);
    this.#line = undefined;
    this.#plugging = undefined;
    this.#received = Buffer.alloc(0);
    clearTimeout(this.#idle);
    this.release();
  }

  /** Lets out the replies that were held. */
  release(): void {
    for (const send of this.#held.splice(0)) send();
  }

  /** Sends bytes that nobody asked for. */
  send(bytes: Uint8Array): void {
    this.#line?.write(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unplug();
    await this.#ending;
  }

  /** @param isWanted whether it was not taken out meanwhile */
  async #plug(isWanted: () => boolean): Promise<void> {
    const line: SerialLine = await openSerialLine((bytes) => {
      if (this.#line === line) this.#receive(bytes);
    });
    if (!isWanted()) return await line.end();
    this.#firmware = new Firmware(this.#options, this.secrets);
    this.#line = line;
    rmSync(this.#options.path, { force: true });
    symlinkSync(line.terminal, this.#options.path);
  }

  #receive(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    this.#readOn();
  }

  /** Takes every packet that is whole; one that is not has 100 ms for its next byte. */
  #readOn(): void {
    clearTimeout(this.#idle);
    for (;;) {
      const start = this.#received.indexOf(START);
      this.#received = start < 0 ? Buffer.alloc(0) : this.#received.subarray(start);
      const length = this.#received.length < 3 ? Number.POSITIVE_INFINITY : this.#received.readUInt16LE(1);
      if (start < 0) return;
      if (this.#received.length < 1 + length) {
        this.#idle = setTimeout(() => this.#cut(length), IDLE);
        return;
      }
      this.#take(this.#received.subarray(1, 1 + length), length);
      this.#received = this.#received.subarray(1 + length);
    }
  }

  #cut(length: number): void {
    this.#take(this.#received.subarray(1), length);
    this.#received = Buffer.alloc(0);
  }

  #take(bytes: Buffer, length: number): void {
    this.overran ||= bytes.length > BUFFER;
    const packet = Buffer.from(bytes);
    const line = this.#line;
    this.waiting += 1;
    this.#serving = this.#serving
      .then(() => (line === this.#line ? this.#serve(packet, length) : undefined))
      .finally(() => {
        this.waiting -= 1;
      });
  }

  async #serve(bytes: Buffer, length: number): Promise<void> {
    const line = this.#line;
    const fault = this.faults.take(bytes[2] === 0x21 ? "sign" : "public-key");
    if (fault?.kind === "flip-request") bytes[fault.at] = (bytes[fault.at] ?? 0) ^ 1;
    const packet = readPacket(bytes, length);
    if (typeof packet !== "number") this.requests.push(packet);
    if (fault?.kind === "unplugged-before") return this.unplug();
    const body = typeof packet === "number" ? Buffer.of(packet) : this.#firmware.answer(packet, fault);
    if (fault?.kind === "unplugged-after") return this.unplug();
    await this.#send(reply(body), fault, line);
  }

  async #send(whole: Buffer, fault: Fault | undefined, line: SerialLine | undefined): Promise<void> {
    const out = (bytes: Uint8Array) => {
      if (line === this.#line) line?.write(bytes);
    };
    switch (fault?.kind) {
      case "silent":
        return;
      case "held":
        await new Promise<void>((go) => this.#held.push(go));
        return out(whole);
      case "late":
        await sleep(fault.milliseconds);
        return out(whole);
      case "noise":
        return out(Buffer.concat([Buffer.from(fault.bytes, "hex"), whole]));
      case "cut":
        return out(whole.subarray(0, fault.at));
      case "unplugged-within":
        out(whole.subarray(0, fault.at));
        return this.unplug();
      case "flip-reply":
        whole[fault.at] = (whole[fault.at] ?? 0) ^ 1;
        return out(whole);
      default:
        return out(whole);
    }
  }
}
