import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getPkhfromPk, verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { attestation, block, transfer } from "../../fixtures/payloads.ts";
import { requiresBoard } from "../../harness/board.ts";
import { temporaryFolder } from "../signer-process.ts";
import { type BoardOptions, TezioBoard } from "./board.ts";
import { crc16 } from "./packets.ts";

/** What the package that the tests ask by has of a port. */
interface Port {
  read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }>;
  write(buffer: Buffer): Promise<void>;
  close(): Promise<void>;
}

const require = createRequire(new URL("../../../hardware/package.json", import.meta.url));

/** A host at the other end of the line, that knows nothing of packets: serialport's own binding. */
class Host implements AsyncDisposable {
  readonly board: TezioBoard;
  readonly #port: Port;
  readonly #folder: AsyncDisposable;
  received = Buffer.alloc(0);

  private constructor(board: TezioBoard, port: Port, folder: AsyncDisposable) {
    this.board = board;
    this.#port = port;
    this.#folder = folder;
    void this.#listen();
  }

  static async open(options: Partial<BoardOptions> = {}): Promise<Host> {
    const folder = await temporaryFolder();
    const path = join(folder.path, "board");
    const secrets = Object.fromEntries([0, 1, 2, 3].map((p1) => [p1, Buffer.alloc(32, p1 + 1)]));
    const board = await TezioBoard.start({ path, secrets, ...options });
    const port: Port = await require("@serialport/bindings-cpp").autoDetect().open({ path, baudRate: 57_600 });
    return new Host(board, port, folder);
  }

  /** Sends bytes, hex, and returns the first that come back, hex. */
  async ask(request: string | Buffer, length: number): Promise<string> {
    this.received = Buffer.alloc(0);
    await this.#port.write(Buffer.isBuffer(request) ? request : Buffer.from(request.replaceAll(" ", ""), "hex"));
    while (this.received.length < length) await sleep(2);
    return this.received.toString("hex");
  }

  /** Asks for a signature of a request by mode 4, base58. @returns the text, or the reply of a refusal */
  async signature(p1: number, data: Buffer): Promise<string> {
    const reply = await this.ask(signing(p1, 4, data), 5);
    if (reply.startsWith("0500")) return reply;
    while (this.received.length < this.received.readUInt16LE()) await sleep(2);
    return this.received.subarray(2, -2).toString();
  }

  async #listen(): Promise<void> {
    const buffer = Buffer.alloc(1_024);
    for (;;) {
      const read = await this.#port.read(buffer, 0, buffer.length).catch(() => undefined);
      if (read === undefined) return;
      this.received = Buffer.concat([this.received, buffer.subarray(0, read.bytesRead)]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#port.close();
    await this.board[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}

function framed(fields: Buffer): Buffer {
  const packet = Buffer.alloc(fields.length + 5);
  packet[0] = 0x03;
  packet.writeUInt16LE(fields.length + 4, 1);
  packet.set(fields, 3);
  packet.writeUInt16LE(crc16(packet.subarray(1, -2)), packet.length - 2);
  return packet;
}

const signing = (p1: number, mode: number, data: Buffer) =>
  framed(Buffer.concat([Buffer.of(0x21, p1, mode, 0, 0), data]));

/** Packets that a host and a board were recorded with: prof-groff/tezio, testing/*.ipynb. */
const RECORDED = {
  publicKey: "03 0700 11 03 03 358a",
  sign: "03 2100 21 02 03 0000 040101adc8160ff8dea802d94e3e37ee522af44a3bfa8c03 a0bc",
  policy: "0500b8d403",
  mark: "0500d4bc02",
  short: "0500a69003",
  damaged: "0500a79583",
  true: "0500014180",
  false: "0500004400",
};

describe("a Tezio board on a pseudo-terminal", () => {
  let host: Host;

  before(async function () {
    requiresBoard(this);
    host = await Host.open();
  });
  after(() => host?.[Symbol.asyncDispose]());

  it("has the checksum of the recorded packets, and of the polynomial's check value", () => {
    expect(crc16(Buffer.from("123456789")).toString(16)).to.equal("fee8");
  });

  it("shows its public keys, by the recorded request, in each form", async () => {
    expect(
      Buffer.from(await host.ask(RECORDED.publicKey, 59), "hex")
        .subarray(2, -2)
        .toString(),
    ).to.match(/^p2pk/);
    const shown = async (p1: number, mode: number, length: number) =>
      Buffer.from(await host.ask(framed(Buffer.of(0x11, p1, mode)), length + 4), "hex").subarray(2, -2);
    for (const [p1, length] of [
      [0, 55],
      [1, 54],
      [2, 55],
      [3, 55],
    ] as const) {
      const key = (await shown(p1, 3, length)).toString();
      const address = (await shown(p1, 4, 36)).toString();
      expect(await getPkhfromPk(key)).to.equal(address);
      if (p1 === 1) continue;
      const [raw, compressed] = [await shown(p1, 1, 64), await shown(p1, 2, 33)];
      expect(compressed.subarray(1).equals(raw.subarray(0, 32))).to.equal(true);
    }
    expect(await host.ask(framed(Buffer.of(0x11, 4, 1)), 5)).to.match(/^0500aa/);
    expect(await host.ask(framed(Buffer.of(0x11, 3, 5)), 5)).to.match(/^0500ab/);
  });

  it("signs with each key, and Taquito verifies it", async () => {
    const payload = transfer({ source: "tz3ZL92LXvTT5kKNpz6GAAfEQ67Y3APek8ui" });
    for (const p1 of [1, 2, 3]) {
      const key = Buffer.from(await host.ask(framed(Buffer.of(0x11, p1, 3)), p1 === 1 ? 58 : 59), "hex");
      const signature = await host.signature(p1, payload);
      expect(verifySignature(payload.toString("hex"), key.subarray(2, -2).toString(), signature)).to.equal(true);
    }
  });

  it("answers as it was recorded: a magic byte that is not allowed, a short packet, one that is damaged", async () => {
    expect(await host.ask(RECORDED.sign, 5)).to.equal(RECORDED.policy);
    expect(await host.ask("03 0400 11 00", 5)).to.equal(RECORDED.short);
    expect(await host.ask(RECORDED.publicKey.replace("358a", "358b"), 5)).to.equal(RECORDED.damaged);
    expect(await host.ask("03 0900 11 03 03", 5), "cut, after 100 ms").to.equal(RECORDED.damaged);
  });

  it("passes over whatever comes before 03", async () => {
    expect(await host.ask(`ff 00 11 ${RECORDED.sign}`, 5)).to.equal(RECORDED.policy);
  });

  it("verifies: true and false as they were recorded", async () => {
    const message = Buffer.from("03aa", "hex");
    const signature = Buffer.from(await host.ask(signing(3, 3, message), 68), "hex").subarray(2, -2);
    const verifying = (data: Buffer) => framed(Buffer.concat([Buffer.of(0x22, 3, 3, 2, 0), data]));
    expect(await host.ask(verifying(Buffer.concat([message, signature])), 5)).to.equal(RECORDED.true);
    const other = Buffer.concat([Buffer.from("03ab", "hex"), signature]);
    expect(await host.ask(verifying(other), 5)).to.equal(RECORDED.false);
  });

  it("takes positions that rise alone, for each kind, without regard to the chain, until it is unplugged", async () => {
    const [one, other] = ["NetXdQprcVkpaWU", "NetXnHfVqm9iesp"] as const;
    const signed = async (payload: Buffer) => await host.signature(3, payload);
    expect(await signed(block({ chainId: one, level: 5, round: 1 }))).to.match(/^p2sig/);
    for (const below of [
      { chainId: one, level: 5, round: 1 },
      { chainId: one, level: 5, round: 0 },
      { chainId: other, level: 4, round: 9 },
    ]) {
      expect(await signed(block(below)), JSON.stringify(below)).to.equal(RECORDED.mark);
    }
    expect(await signed(attestation({ chainId: one, level: 5 }))).to.match(/^p2sig/);
    expect(await signed(attestation({ chainId: one, level: 5 }))).to.equal(RECORDED.mark);
    expect(await signed(block({ chainId: one, level: 5, round: 2 }))).to.match(/^p2sig/);
    await using fresh = await Host.open();
    expect(await fresh.signature(3, block({ chainId: one, level: 5, round: 0 }))).to.match(/^p2sig/);
    fresh.board.unplug();
    await fresh.board.plugIn();
    expect(fresh.board.requests).to.have.length(1);
  });

  it("moves the mark before it looks at its policy", async () => {
    await using other = await Host.open({ allowed: { 3: [0x03] } });
    const payload = attestation({ level: 7 });
    expect(await other.signature(3, payload)).to.equal(RECORDED.policy);
    expect(await other.signature(3, payload)).to.equal(RECORDED.mark);
  });

  it("serves what comes at once one after another, in its order", async () => {
    const both = Buffer.concat([framed(Buffer.of(0x11, 3, 2)), framed(Buffer.of(0x99, 0, 0))]);
    const replies = Buffer.from(await host.ask(both, 42), "hex");
    expect([replies.readUInt16LE(), replies.subarray(37).toString("hex").slice(0, 6)]).to.deep.equal([37, "0500a2"]);
  });
});
