/**
 * Packets of a Tezio board (prof-groff/tezio, bc67eef: TezioHSM_API.cpp).
 * @module
 */

/** What a status byte means where it is sent alone. */
export const STATUS = {
  opUnknown: 0xa2,
  tooShort: 0xa6,
  damaged: 0xa7,
  shortYetWhole: 0xa8,
  keyUnknown: 0xaa,
  modeUnknown: 0xab,
  lengthWrong: 0xac,
  noData: 0xad,
  noHash: 0xae,
  opOff: 0xb0,
  magicOff: 0xb8,
  /** A packet that was read well; sent where the watermark refuses. */
  read: 0xd4,
} as const;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) remainder = (remainder << 1) ^ (remainder & 0x8000 ? 0x18005 : 0);
  return remainder;
});

/** CRC-16: polynomial 8005, from 0, most significant bit first, no reflection, nothing added at the end. */
export function crc16(bytes: Uint8Array): number {
  return bytes.reduce((crc, byte) => ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0), 0);
}

/** A reply: its length, the body, the checksum; no byte before it. */
export function reply(body: Uint8Array): Buffer {
  const packet = Buffer.alloc(body.length + 4);
  packet.writeUInt16LE(packet.length);
  packet.set(body, 2);
  packet.writeUInt16LE(crc16(packet.subarray(0, -2)), packet.length - 2);
  return packet;
}

/** A request as the board has read it. */
export interface Packet {
  readonly opcode: number;
  readonly p1: number;
  readonly p2: number;
  /** Undefined where the packet has none: the board then has the one of the packet before. */
  readonly p3: number | undefined;
  readonly data: Buffer;
}

/**
 * Reads a request.
 * @param bytes from the length on, without the 03, as many as came
 * @param length what the length says
 * @returns a status where the board does not take it
 */
export function readPacket(bytes: Buffer, length: number): Packet | number {
  if (bytes.length < 5) return STATUS.tooShort;
  if (crc16(bytes.subarray(0, -2)) !== bytes.readUInt16LE(bytes.length - 2)) return STATUS.damaged;
  if (bytes.length < length) return STATUS.shortYetWhole;
  const [opcode = 0, p1 = 0, p2 = 0] = bytes.subarray(2, -2);
  const hasData = bytes.length >= 9;
  return {
    opcode,
    p1,
    p2,
    p3: hasData ? bytes.readUInt16LE(5) : undefined,
    data: hasData ? bytes.subarray(7, -2) : Buffer.alloc(0),
  };
}
