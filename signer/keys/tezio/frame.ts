/**
 * Frames of a Tezio board's protocol over USB serial (prof-groff/tezio, bc67eef: signer/tezio.py and
 * arduino/libraries/Tezio/src/TezioHSM_API.cpp), pure.
 * A request: 03, length (u16, little-endian, itself and the checksum included), fields, checksum. A reply has no 03 before it.
 * @module
 */

/** Begins a request; the board reads on until it comes. */
const START = 0x03;

/** Of a reply or a request: its length, and its checksum. */
const AROUND = 4;

/** The board writes a longer packet past the end of its buffer of 1,024 bytes. */
export const MAX_DATA = 1_015;

/** What is asked of the board, by its opcode. */
export const OPCODES = { publicKey: 0x11, sign: 0x21 } as const;

/** In which form; there are others. Data in `message` is hashed by the board, which so sees what it is. */
export const MODES = { point: 1, compressed: 2, message: 3 } as const;

/** Bytes of each reply that is asked for: a status alone, a compressed public key, X || Y of one, r || s. */
export const REPLIES = { status: 1, compressed: 33, point: 64, signature: 64 } as const;

const BODIES: ReadonlySet<number> = new Set(Object.values(REPLIES));

/** Computes the CRC-16 with polynomial 8005, from 0, the most significant bit first, neither reflected nor inverted. */
export function checksum(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x8005 : crc << 1) & 0xffff;
  }
  return crc;
}

/**
 * Makes a request.
 * @param slot p1, which key
 * @param mode p2, in which form
 * @param data at most MAX_DATA bytes; the field before it is given too, since the board keeps it from one request to the next
 */
export function request(opcode: number, slot: number, mode: number, data?: Uint8Array): Buffer {
  const fields = [opcode, slot, mode, ...(data === undefined ? [] : [0, 0, ...data])];
  const frame = Buffer.alloc(1 + fields.length + AROUND);
  frame[0] = START;
  frame.writeUInt16LE(fields.length + AROUND, 1);
  frame.set(fields, 3);
  const end = frame.length - 2;
  frame.writeUInt16LE(checksum(frame.subarray(1, end)), end);
  return frame;
}

/** What there is of replies in bytes that were received. */
export type Found =
  | { readonly found: "reply"; readonly body: Buffer; readonly rest: Buffer }
  /** `begun`: something begins like a reply and is not whole, or is not what it was. */
  | { readonly found: "begun" | "nothing" };

/**
 * Finds the first whole reply, whatever noise is before it.
 * @param received as it came
 */
export function findReply(received: Buffer): Found {
  let begun = false;
  for (let at = 0; at + 2 <= received.length; at += 1) {
    const length = received.readUInt16LE(at);
    if (!BODIES.has(length - AROUND)) continue;
    begun = true;
    const end = at + length;
    if (end > received.length || received.readUInt16LE(end - 2) !== checksum(received.subarray(at, end - 2))) continue;
    return { found: "reply", body: received.subarray(at + 2, end - 2), rest: received.subarray(end) };
  }
  return { found: begun ? "begun" : "nothing" };
}
