import { decode } from "../../signer/tezos/base58.ts";

/**
 * Payloads as octez forges them, field by field: block_header_repr.ml, fitness_repr.ml, operation_repr.ml.
 * Every field has a plain default, so a test names only what it is about.
 * @module
 */

export const MAINNET = "NetXdQprcVkpaWU";
/** A branch: block hash B… */
export const BRANCH = "BKpbfCvh777DQHnXjU2sqHvVUNZ7dBAdqEfKkdw8EGSkD9LSYXb";

/** 32 bytes, all the same. */
export function hash(byte = 0): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** Bytes with their length before them, in 4 bytes. */
export function part(...pieces: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(pieces);
  return Buffer.concat([int32(content.length), content]);
}

/** A natural number in Zarith's form. */
export function natural(value: bigint): Buffer {
  return groups([value & 0x7fn], value >> 7n);
}

/** An integer in Zarith's form. */
export function integer(value: bigint): Buffer {
  const size = value < 0n ? -value : value;
  return groups([(size & 0x3fn) | (value < 0n ? 0x40n : 0n)], size >> 6n);
}

function groups(first: bigint[], rest: bigint): Buffer {
  const all = first;
  for (let left = rest; left > 0n; left >>= 7n) all.push(left & 0x7fn);
  return Buffer.from(all.map((group, index) => Number(group) | (index < all.length - 1 ? 0x80 : 0)));
}

export interface BlockFields {
  chainId?: string;
  level?: number;
  round?: number;
  payloadRound?: number;
  /** Given: the fitness has a locked round and is 4 bytes longer. */
  lockedRound?: number | undefined;
  predecessorRound?: number;
  /** Level as the fitness states it; the header's own by default. */
  fitnessLevel?: number;
  fitnessVersion?: number;
  protoLevel?: number;
  predecessor?: Uint8Array;
  timestamp?: bigint;
  validationPasses?: number;
  operationsHash?: Uint8Array;
  context?: Uint8Array;
  payloadHash?: Uint8Array;
  proofOfWorkNonce?: Uint8Array;
  /** Given: 32 bytes behind an ff. */
  seedNonceHash?: Uint8Array | undefined;
  votes?: number;
}

/** 0x11, a block header. */
export function block(fields: BlockFields = {}): Buffer {
  const { level = 100, round = 0, lockedRound, predecessorRound = 0, seedNonceHash } = fields;
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigInt64BE(fields.timestamp ?? 1_700_000_000n);
  return Buffer.concat(
    [
      [0x11],
      chain(fields.chainId),
      int32(level),
      [fields.protoLevel ?? 1],
      fields.predecessor ?? hash(1),
      timestamp,
      [fields.validationPasses ?? 4],
      fields.operationsHash ?? hash(2),
      part(
        part(Buffer.from([fields.fitnessVersion ?? 2])),
        part(int32(fields.fitnessLevel ?? level)),
        lockedRound === undefined ? part() : part(int32(lockedRound)),
        part(int32(-predecessorRound - 1)),
        part(int32(round)),
      ),
      fields.context ?? hash(3),
      fields.payloadHash ?? hash(4),
      int32(fields.payloadRound ?? 0),
      fields.proofOfWorkNonce ?? new Uint8Array(8),
      seedNonceHash === undefined ? [0x00] : [0xff, ...seedNonceHash],
      [fields.votes ?? 0],
    ].map((piece) => Buffer.from(piece)),
  );
}

export interface VoteFields {
  chainId?: string;
  level?: number;
  round?: number;
  slot?: number;
  branch?: Uint8Array;
  payloadHash?: Uint8Array;
}

/** 0x12, tag 20. */
export function preattestation(fields: VoteFields = {}): Buffer {
  return vote(0x12, 20, fields);
}

/** 0x13, tag 21; with `dal` (the bitset of attested slots) tag 23. */
export function attestation(fields: VoteFields & { dal?: bigint | undefined } = {}): Buffer {
  const { dal } = fields;
  if (dal === undefined) return vote(0x13, 21, fields);
  return Buffer.concat([vote(0x13, 23, fields), integer(dal)]);
}

/** A vote with any magic byte and tag. */
export function vote(magic: number, tag: number, fields: VoteFields = {}): Buffer {
  const { level = 100, round = 0, slot = 0 } = fields;
  return Buffer.concat([
    Buffer.from([magic]),
    chain(fields.chainId),
    fields.branch ?? hash(1),
    Buffer.from([tag]),
    uint16(slot),
    int32(level),
    int32(round),
    fields.payloadHash ?? hash(2),
  ]);
}

function chain(chainId: string = MAINNET): Uint8Array {
  return decode(chainId, "Net").bytes;
}

const ADDRESS_TAGS = { tz1: 0, tz2: 1, tz3: 2, tz4: 3 } as const;

/** A public key hash with the byte that names its kind. */
export function publicKeyHash(address: string): Buffer {
  const { prefix, bytes } = decode(address, "tz1", "tz2", "tz3", "tz4");
  return Buffer.concat([Buffer.from([ADDRESS_TAGS[prefix]]), bytes]);
}

/** An account or a contract. */
export function contract(address: string): Buffer {
  if (!address.startsWith("KT1")) return Buffer.concat([Buffer.from([0]), publicKeyHash(address)]);
  return Buffer.concat([Buffer.from([1]), decode(address, "KT1").bytes, Buffer.from([0])]);
}

export interface ManagerOptions {
  source?: string;
  fee?: bigint;
  counter?: bigint;
  gasLimit?: bigint;
  storageLimit?: bigint;
}

export const SOURCE = "tz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK";
export const OTHER = "tz2QPsZoZse4eeahhg5DdfnBDB4VbU1PwgxN";

/** A manager operation: tag, header, and the fields of its kind as they are. */
export function manager(tag: number, options: ManagerOptions, ...fields: readonly Uint8Array[]): Buffer {
  const { source = SOURCE, fee = 1000n, counter = 1n, gasLimit = 2000n, storageLimit = 300n } = options;
  const numbers = [fee, counter, gasLimit, storageLimit].map(natural);
  return Buffer.concat([Buffer.from([tag]), publicKeyHash(source), ...numbers, ...fields]);
}

export interface TransferOptions extends ManagerOptions {
  amount?: bigint;
  destination?: string;
  /** The entrypoint's bytes: its number, or ff, length and name. Given together with `parameters`. */
  entrypoint?: Uint8Array;
  /** A Micheline expression's bytes. */
  parameters?: Uint8Array;
}

/** The bytes of `Unit`. */
export const UNIT_BYTES = Buffer.from("030b", "hex");

/** A transaction's contents, to be put into `operations`. */
export function transaction(options: TransferOptions = {}): Buffer {
  const { amount = 1_000_000n, destination = OTHER, entrypoint, parameters = UNIT_BYTES } = options;
  const call =
    entrypoint === undefined ? Buffer.from([0]) : Buffer.concat([Buffer.from([0xff]), entrypoint, part(parameters)]);
  return manager(108, options, natural(amount), contract(destination), call);
}

/** 0x03, a branch and contents. */
export function operations(...contents: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from([0x03]), decode(BRANCH, "B").bytes, ...contents]);
}

/** 0x03 with one transaction. */
export function transfer(options: TransferOptions = {}): Buffer {
  return operations(transaction(options));
}

/** An entrypoint by its name, in the form of any name: ff, one byte of length. */
export function named(entrypoint: string): Buffer {
  return Buffer.concat([Buffer.from([0xff, entrypoint.length]), Buffer.from(entrypoint, "latin1")]);
}
