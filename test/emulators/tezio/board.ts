import { randomBytes } from "node:crypto";
import { rmSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, Faults } from "./faults.ts";
import { hashOf, publicKeyIn, SCHEMES, signatureIn } from "./keys.ts";
import { isMarked, Marks } from "./marks.ts";
import { type Packet, readPacket, reply, STATUS } from "./packets.ts";
import { openSerialLine, type SerialLine } from "./serial-line.ts";

/** Without a byte for so long, in milliseconds, a packet is taken for what has come of it. */
const IDLE = 100;

/** The board's buffer; it does not look whether a packet fits. */
const BUFFER = 1_024;

const START = 0x03;

export interface BoardOptions {
  /** Where the terminal is to be found, as udev's links in /dev/serial/by-id/ are. */
  readonly path: string;
  /** Secret keys by p1; a place without one shows what a failed read of the chip leaves. */
  readonly secrets: Readonly<Partial<Record<0 | 1 | 2 | 3, Uint8Array>>>;
  /** Magic bytes that each key may sign, as they are compiled in; else those of the sketch. */
  readonly allowed?: Readonly<Partial<Record<number, readonly number[]>>>;
  /** Whether it has marks: it has; without them it stands for one that is unplugged before each request. */
  readonly hasMarks?: boolean;
  /** Whether its public keys may be read: they may. */
  readonly showsKeys?: boolean;
}

/** What the sketch compiles in. */
const SKETCH: Readonly<Record<number, readonly number[]>> = {
  0: [0x03],
  1: [0x03],
  2: [0x03],
  3: [0x03, 0x11, 0x12, 0x13],
};

/** A Tezio board on a pseudo-terminal, byte by byte as its firmware does it (prof-groff/tezio, bc67eef). */
export class TezioBoard implements AsyncDisposable {
  readonly faults = new Faults();
  /** Requests that were read well, in their order. */
  readonly requests: Packet[] = [];
  /** Packets that have come and are not answered yet. */
  waiting = 0;
  /** Secret keys by p1; others are another board's. */
  secrets: BoardOptions["secrets"];
  /** Whether a packet was longer than the buffer: on a board anything may follow. */
  overran = false;
  readonly #options: BoardOptions;
  #line: SerialLine | undefined;
  #plugging: Promise<void> | undefined;
  #marks = new Marks();
  #received: Buffer = Buffer.alloc(0);
  #idle: NodeJS.Timeout | undefined;
  #p3 = 0;
  /** Requests are served one after another. */
  #serving: Promise<unknown> = Promise.resolve();
  #held: (() => void)[] = [];
  #ending: Promise<unknown> = Promise.resolve();

  private constructor(options: BoardOptions) {
    this.#options = options;
    this.secrets = options.secrets;
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
    this.#marks = new Marks();
    this.#received = Buffer.alloc(0);
    clearTimeout(this.#idle);
    this.#p3 = 0;
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
    const body = typeof packet === "number" ? Buffer.of(packet) : this.#answer(packet, fault);
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
      case "flip-reply":
        whole[fault.at] = (whole[fault.at] ?? 0) ^ 1;
        return out(whole);
      default:
        return out(whole);
    }
  }

  #answer(packet: Packet, fault: Fault | undefined): Uint8Array {
    this.#p3 = packet.p3 ?? this.#p3;
    switch (packet.opcode) {
      case 0x11:
        return this.#publicKey(packet, fault);
      case 0x21:
        return this.#sign(packet, fault);
      case 0x22:
        return this.#verify(packet);
      default:
        return Buffer.of(STATUS.opUnknown);
    }
  }

  #publicKey({ p1, p2 }: Packet, fault: Fault | undefined): Uint8Array {
    if (p1 > 3) return Buffer.of(STATUS.keyUnknown);
    if (this.#options.showsKeys === false) return Buffer.of(STATUS.opOff);
    if (p2 < 1 || p2 > 4) return Buffer.of(STATUS.modeUnknown);
    const secret = this.secrets[p1 as 0 | 1 | 2 | 3];
    // A read that fails is not looked at: what lay in the buffer goes out.
    if (secret === undefined || fault?.kind === "unread-key") {
      const length = p2 > 2 ? publicKeyIn(p2, p1, Buffer.alloc(32, 1)).length : p2 === 1 && p1 !== 1 ? 64 : 33;
      return Buffer.alloc(length);
    }
    return publicKeyIn(p2, p1, secret);
  }

  #sign({ p1, p2, data }: Packet, fault: Fault | undefined): Uint8Array {
    if (p1 > 3) return Buffer.of(STATUS.keyUnknown);
    if (p2 > 4) return Buffer.of(STATUS.modeUnknown);
    if (p2 === 0) return signatureIn(2, p1, Buffer.alloc(64));
    if (data.length === 0) return Buffer.of(STATUS.noData);
    if (p2 < 3 && data.length !== 32) return Buffer.of(STATUS.noHash);
    const [magic = 0] = data;
    if (isMarked(magic) && this.#options.hasMarks !== false && !this.#marks.raise(p1, data)) {
      return Buffer.of(STATUS.read);
    }
    const allowed = this.#options.allowed?.[p1] ?? SKETCH[p1] ?? [];
    if (!allowed.includes(magic)) return Buffer.of(STATUS.magicOff);
    if (fault?.kind === "chip") return Buffer.of(fault.status);
    const secret = this.secrets[p1 as 0 | 1 | 2 | 3];
    if (secret === undefined || fault?.kind === "wrong-signature") return signatureIn(p2, p1, randomBytes(64));
    const scheme = SCHEMES[p1];
    if (scheme === undefined) return Buffer.of(STATUS.keyUnknown);
    return signatureIn(p2, p1, scheme.sign(p2 < 3 ? data : hashOf(data), secret));
  }

  /** Of its modes those with a signature in bytes. */
  #verify({ p1, p2, data }: Packet): Uint8Array {
    if (p1 > 3) return Buffer.of(STATUS.keyUnknown);
    if (p2 < 1 || p2 > 4) return Buffer.of(STATUS.modeUnknown);
    if (data.length < 65) return Buffer.of(STATUS.noData);
    if (p2 % 2 === 0 && this.#p3 === 0) return Buffer.of(STATUS.lengthWrong);
    const [message, signature] = [data.subarray(0, -64), data.subarray(-64)];
    if (p2 < 3 && message.length !== 32) return Buffer.of(STATUS.modeUnknown);
    const secret = this.secrets[p1 as 0 | 1 | 2 | 3] ?? Buffer.alloc(32, 1);
    const isGood = SCHEMES[p1]?.verify(signature, p2 < 3 ? message : hashOf(message), secret);
    return Buffer.of(isGood ? 1 : 0);
  }
}
