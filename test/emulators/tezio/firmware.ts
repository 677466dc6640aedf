import { randomBytes } from "node:crypto";
import type { Fault } from "./faults.ts";
import { hashOf, publicKeyIn, SCHEMES, signatureIn } from "./keys.ts";
import { isMarked, Marks } from "./marks.ts";
import { type Packet, STATUS } from "./packets.ts";

/** Secret keys by p1; a place without one shows what a failed read of the chip leaves. */
export type Secrets = Readonly<Partial<Record<number, Uint8Array>>>;

/** What is compiled in. */
export interface Compiled {
  /** Magic bytes that each key may sign; else those of the sketch. */
  readonly allowed?: Readonly<Partial<Record<number, readonly number[]>>>;
  /** Whether it has marks: it has; without them it stands for one that is unplugged before each request. */
  readonly hasMarks?: boolean;
  /** Whether its public keys may be read: they may. */
  readonly showsKeys?: boolean;
}

const SKETCH: Readonly<Record<number, readonly number[]>> = {
  0: [0x03],
  1: [0x03],
  2: [0x03],
  3: [0x03, 0x11, 0x12, 0x13],
};

/** What a board answers to a packet (prof-groff/tezio, bc67eef: TezioHSM_API.cpp), from power-on to power-off. */
export class Firmware {
  readonly #compiled: Compiled;
  readonly #secrets: Secrets;
  readonly #marks = new Marks();
  #p3 = 0;

  constructor(compiled: Compiled, secrets: Secrets) {
    this.#compiled = compiled;
    this.#secrets = secrets;
  }

  /** @returns the body of the reply */
  answer(packet: Packet, fault: Fault | undefined): Uint8Array {
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
    if (this.#compiled.showsKeys === false) return Buffer.of(STATUS.opOff);
    if (p2 < 1 || p2 > 4) return Buffer.of(STATUS.modeUnknown);
    const secret = this.#secrets[p1];
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
    if (isMarked(magic) && this.#compiled.hasMarks !== false && !this.#marks.raise(p1, data)) {
      return Buffer.of(STATUS.read);
    }
    const allowed = this.#compiled.allowed?.[p1] ?? SKETCH[p1] ?? [];
    if (!allowed.includes(magic)) return Buffer.of(STATUS.magicOff);
    if (fault?.kind === "chip") return Buffer.of(fault.status);
    const secret = this.#secrets[p1];
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
    const secret = this.#secrets[p1] ?? Buffer.alloc(32, 1);
    const isGood = SCHEMES[p1]?.verify(signature, p2 < 3 ? message : hashOf(message), secret);
    return Buffer.of(isGood ? 1 : 0);
  }
}
