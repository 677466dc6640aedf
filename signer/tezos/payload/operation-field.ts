import { encode, PREFIX_LENGTHS, type Prefix } from "../crypto/base58.ts";
import { hex, PayloadError, type Reader } from "./reader.ts";

/**
 * Readers of the fields that several operations share, each named after the octez encoding that it reads.
 * @module
 */

/** By the byte that names the scheme (signature_v3.ml). */
const PUBLIC_KEY_HASHES: readonly Prefix[] = ["tz1", "tz2", "tz3", "tz4", "tz5"];
const PUBLIC_KEYS: readonly Prefix[] = ["edpk", "sppk", "p2pk", "BLpk"];

/** Reads Signature.Public_key_hash.encoding: a byte that names the scheme, 20 bytes. */
export function readPublicKeyHash(reader: Reader, name: string): string {
  const at = reader.offset;
  const tag = reader.uint8(name);
  const prefix = PUBLIC_KEY_HASHES[tag];
  if (prefix === undefined) throw new PayloadError(at, `${name} begins with ${hex(tag)}, which names no kind of key`);
  return readHash(reader, prefix, name);
}

/** Reads Signature.Public_key.encoding: a byte that names the scheme, the key. */
export function readPublicKey(reader: Reader, name: string): string {
  const at = reader.offset;
  const tag = reader.uint8(name);
  const prefix = PUBLIC_KEYS[tag];
  if (tag === 4) throw new PayloadError(at, `${name} is an ML-DSA-44 key, which this signer does not read`);
  if (prefix === undefined) throw new PayloadError(at, `${name} begins with ${hex(tag)}, which names no kind of key`);
  return readHash(reader, prefix, name);
}

/** Reads Contract_repr.encoding: 00 and a public key hash, or 01, a contract hash and a zero byte. */
export function readContract(reader: Reader, name: string): string {
  const at = reader.offset;
  const tag = reader.uint8(name);
  if (tag === 0) return readPublicKeyHash(reader, name);
  if (tag === 1) return readContractHash(reader, name);
  throw new PayloadError(at, `${name} begins with ${hex(tag)}, neither 00 (an account) nor 01 (a contract)`);
}

/** Reads Contract_repr.originated_encoding: a KT1 only. */
export function readOriginated(reader: Reader, name: string): string {
  const at = reader.offset;
  const tag = reader.uint8(name);
  if (tag !== 1) throw new PayloadError(at, `${name} begins with ${hex(tag)}, not with 01 (a contract)`);
  return readContractHash(reader, name);
}

function readContractHash(reader: Reader, name: string): string {
  const address = readHash(reader, "KT1", name);
  const at = reader.offset;
  // octez skips this byte unread and writes it back as zero: another value would not be what is signed on chain.
  if (reader.uint8(name) !== 0) throw new PayloadError(at, `${name} must end with a zero byte`);
  return address;
}

/** Reads bytes of the prefix's length, shown in base58check. */
export function readHash(reader: Reader, prefix: Prefix, name: string): string {
  return encode(prefix, reader.bytes(PREFIX_LENGTHS[prefix], name));
}

/** Reads fixed-size bytes, shown in hex. */
export function readHex(reader: Reader, length: number, name: string): string {
  return Buffer.from(reader.bytes(length, name)).toString("hex");
}

/** Reads bytes with their length before them (4 bytes), shown in hex. */
export function readHexPart(reader: Reader, name: string): string {
  return Buffer.from(reader.part(name).rest()).toString("hex");
}

const MAX_MUTEZ = 2n ** 63n - 1n;

/** Reads Tez_repr.encoding: mutez, in at most 10 bytes and below 2^63. */
export function readMutez(reader: Reader, name: string): bigint {
  const at = reader.offset;
  const amount = reader.natural(name, 10);
  if (amount > MAX_MUTEZ) throw new PayloadError(at, `${name} is above 2^63 - 1 mutez`);
  return amount;
}

/** Reads an option: the field after a byte ff, nothing after a byte 00. */
export function readOption<Field>(reader: Reader, name: string, read: (reader: Reader, name: string) => Field) {
  return reader.flag(name) ? read(reader, name) : undefined;
}

const ENTRYPOINTS = [
  "default",
  "root",
  "do",
  "set_delegate",
  "remove_delegate",
  "deposit",
  "stake",
  "unstake",
  "finalize_unstake",
  "set_delegate_parameters",
];

/** Reads Entrypoint_repr.smart_encoding: a number, or ff and a name with its length in one byte. Both give the name. */
export function readEntrypoint(reader: Reader): string {
  const at = reader.offset;
  const tag = reader.uint8("entrypoint");
  if (tag === 0xff) return entrypointName(reader, reader.uint8("the length of the entrypoint"));
  const name = ENTRYPOINTS[tag];
  if (name === undefined) throw new PayloadError(at, `${hex(tag)} is no entrypoint's number`);
  return name;
}

/** Reads Entrypoint_repr.simple_encoding: a name with its length in 4 bytes. */
export function readEntrypointName(reader: Reader): string {
  const part = reader.part("entrypoint");
  return entrypointName(part, part.remaining);
}

/** Names are as in a Michelson annotation, at most 31 characters; the empty one means default. */
function entrypointName(reader: Reader, length: number): string {
  const at = reader.offset;
  if (length > 31) throw new PayloadError(at, `an entrypoint has at most 31 characters, not ${length}`);
  const name = Buffer.from(reader.bytes(length, "entrypoint")).toString("latin1");
  if (!/^[\w.%@]*$/.test(name)) throw new PayloadError(at, "an entrypoint has letters, digits, _ . % @ only");
  return name === "" ? "default" : name;
}
