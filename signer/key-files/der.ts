/**
 * The little of ASN.1 DER (X.690) that key files need: writing values, and opening the ones we are given.
 * @module
 */

const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;

/** Encodes one DER value. @param content at most 65,535 bytes */
export function value(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from([tag, ...header]), content]);
}

/** Encodes a SEQUENCE of values. */
export const sequence = (...parts: Uint8Array[]): Buffer => value(SEQUENCE, Buffer.concat(parts));

/** Encodes an OCTET STRING. */
export const octetString = (content: Uint8Array): Buffer => value(OCTET_STRING, content);

/** Encodes an OBJECT IDENTIFIER. @param hex the encoded arcs of the identifier, without tag and length */
export const objectIdentifier = (hex: string): Buffer => value(OBJECT_IDENTIFIER, Buffer.from(hex, "hex"));

/** Encodes an INTEGER. @param number 0 to 2^31-1 */
export function integer(number: number): Buffer {
  const bytes = [number & 0xff];
  for (let rest = number >>> 8; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  if ((bytes[0] ?? 0) >= 0x80) bytes.unshift(0);
  return value(INTEGER, Uint8Array.from(bytes));
}

/** Tells whether the bytes are one whole DER sequence: nothing missing, nothing after it. */
export function isWholeSequence(bytes: Uint8Array): boolean {
  const [tag, first = 0] = bytes;
  if (tag !== SEQUENCE) return false;
  if (first < 0x80) return bytes.length === 2 + first;
  const size = first & 0x7f;
  if (size === 0 || size > 2) return false;
  const length = bytes.subarray(2, 2 + size).reduce((sum, byte) => sum * 256 + byte, 0);
  return bytes.length === 2 + size + length;
}
