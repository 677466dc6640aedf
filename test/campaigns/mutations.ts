import { isDeepStrictEqual } from "node:util";
import { encode } from "../../signer/tezos/crypto/base58.ts";
import { OPERATION_KINDS } from "../../signer/tezos/payload/operation.ts";
import type { ConsensusRequest, SigningRequest } from "../../signer/tezos/payload/payload.ts";
import { PayloadError } from "../../signer/tezos/payload/reader.ts";
import { commandLine, wholeNumberFrom } from "../emulators/command-line.ts";
import { attestation, block, preattestation } from "../fixtures/payloads.ts";
import { outcome, type Seed, seeds } from "./seeds.ts";

/**
 * Throws mutated payloads at the parser and holds it to four rules: it answers or throws a PayloadError inside the
 * payload, it leaves the bytes as they are, what it reads of a consensus request is what an independent reader finds
 * at fixed offsets, and a consensus request that it accepts is byte for byte what an encoder makes of its fields.
 * `npm run test:mutations` runs 100,000 and demands that every branch of the decoders was taken.
 * @module
 */

export interface Report {
  readonly inputs: number;
  /** Inputs that were read, or refused at or behind where their last field begins. */
  readonly reachedLast: number;
  /** Inputs by format of the seed: all, and those that reached the last field. */
  readonly formats: ReadonlyMap<string, { all: number; reached: number }>;
  /** What was read, by class and kind. */
  readonly read: ReadonlyMap<string, number>;
  /** Why the rest was refused, with figures taken out. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Runs the campaign. The same seed number gives the same inputs. */
export function run(from: readonly Seed[], inputs: number, random: () => number): Report {
  const formats = new Map<string, { all: number; reached: number }>();
  const [read, refused] = [new Map<string, number>(), new Map<string, number>()];
  let reachedLast = 0;
  for (let input = 0; input < inputs; input++) {
    const seed = from[input % from.length] as Seed;
    // The first round takes the seeds as they are.
    const { payload, last } = input < from.length ? seed : mutate(seed, from, random);
    const before = Buffer.from(payload);
    const result = outcome(payload);
    if (!before.equals(payload)) throw new Error(`changed ${before.toString("hex")}`);
    check(payload, result);
    const reached = !(result instanceof PayloadError) || result.offset >= last;
    if (reached) reachedLast++;
    const format = formats.get(seed.format) ?? { all: 0, reached: 0 };
    formats.set(seed.format, { all: format.all + 1, reached: format.reached + Number(reached) });
    if (result instanceof PayloadError) count(refused, reason(result));
    else for (const name of names(result)) count(read, name);
  }
  return { inputs, reachedLast, formats, read, refused };
}

function count(table: Map<string, number>, name: string): void {
  table.set(name, (table.get(name) ?? 0) + 1);
}

function names(request: SigningRequest): Set<string> {
  if (request.type === "pack") return new Set(["pack"]);
  if (request.type === "consensus") return new Set([`consensus: ${request.operation}`]);
  return new Set(request.operations.map(({ kind }) => `operation: ${kind}`));
}

/** A refusal without its figures. */
function reason({ message }: PayloadError): string {
  return message
    .replace(/^at byte \d+: /, "")
    .replace(/^[0-9a-f]{2} (?=begins|is )|(?<=magic byte |begins with )[0-9a-f]{2}\b|\b\d+\b/g, (figure) =>
      figure.endsWith(" ") ? "# " : "#",
    );
}

/** The rules that no input may break. */
function check(payload: Buffer, result: SigningRequest | PayloadError): void {
  if (result instanceof PayloadError) {
    const fine = result.offset >= 0 && result.offset <= payload.length;
    const named = result.message.startsWith(`at byte ${result.offset}: `);
    if (!fine || !named) throw new Error(`bad error: ${result.message}`);
  } else if (result.type === "consensus") {
    const expected = readAtOffsets(payload);
    if (!isDeepStrictEqual(result, expected.request)) throw new Error(`misread ${payload.toString("hex")}`);
    if (!expected.encoded.equals(payload)) throw new Error(`accepted ill-formed ${payload.toString("hex")}`);
  } else if (result.type === "operation") {
    const known = result.operations.every(({ kind }) => OPERATION_KINDS.includes(kind));
    if (result.operations.length === 0 || !known) throw new Error(`misread ${payload.toString("hex")}`);
  }
}

/** Reads a consensus payload by offsets alone, trusting it to be well-formed, and encodes what it found again. */
function readAtOffsets(payload: Buffer): { request: ConsensusRequest; encoded: Buffer } {
  const int = (at: number) => payload.readInt32BE(at);
  const slice = (at: number, length: number) => payload.subarray(at, at + length);
  const chainId = encode("Net", slice(1, 4));
  if (payload[0] === 0x11) {
    const end = 87 + int(83); // behind the fitness
    const [level, round] = [int(5), int(end - 4)];
    const encoded = block({
      chainId,
      level,
      protoLevel: payload.readUInt8(9),
      predecessor: slice(10, 32),
      timestamp: payload.readBigInt64BE(42),
      validationPasses: payload.readUInt8(50),
      operationsHash: slice(51, 32),
      lockedRound: end === 87 + 37 ? int(end - 20) : undefined,
      predecessorRound: -int(end - 12) - 1,
      round,
      context: slice(end, 32),
      payloadHash: slice(end + 32, 32),
      payloadRound: int(end + 64),
      proofOfWorkNonce: slice(end + 68, 8),
      seedNonceHash: payload[end + 76] === 0xff ? slice(end + 77, 32) : undefined,
      votes: payload.readUInt8(payload.length - 1),
    });
    return { request: { type: "consensus", kind: "block", operation: "block", chainId, level, round }, encoded };
  }
  const [level, round, tag] = [int(40), int(44), payload[37]];
  const fields = {
    chainId,
    level,
    round,
    slot: payload.readUInt16BE(38),
    branch: slice(5, 32),
    payloadHash: slice(48, 32),
  };
  const dal = tag === 23 ? zarith(payload.subarray(80)) : undefined;
  const kind = payload[0] === 0x12 ? "preattestation" : "attestation";
  const encoded = kind === "preattestation" ? preattestation(fields) : attestation({ ...fields, dal });
  const operation = dal === undefined ? kind : "attestation_with_dal";
  return { request: { type: "consensus", kind, operation, chainId, level, round }, encoded };
}

function zarith(groups: Uint8Array): bigint {
  return groups.reduceRight(
    (sum, byte, at) => (sum << (at === 0 ? 6n : 7n)) | BigInt(byte & (at === 0 ? 0x3f : 0x7f)),
    0n,
  );
}

const BYTES = [0x00, 0x01, 0x02, 0x3f, 0x40, 0x7f, 0x80, 0xfe, 0xff];
const INTEGERS = [0, 1, 4, 5, -1, -2, 2 ** 31 - 1, -(2 ** 31), 0x7fff, 101];

/** Changes a payload in one to three places: in its last field more often than before it. */
function mutate(seed: Seed, from: readonly Seed[], random: () => number): { payload: Buffer; last: number } {
  let payload = Buffer.from(seed.payload);
  let { last } = seed;
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <Item>(items: readonly Item[]) => items[below(items.length)] as Item;
  const inLast = Number.isFinite(last) && random() < 0.5;
  for (let changes = 1 + below(inLast ? 2 : 3); changes > 0 || payload.equals(seed.payload); changes--) {
    const low = inLast ? Math.min(last, payload.length) : 0;
    const at = low + below(payload.length - low);
    switch (below(10)) {
      case 0:
      case 1:
        if (at < payload.length) payload[at] = (payload[at] ?? 0) ^ (1 << below(8));
        break;
      case 2:
      case 3:
        if (at < payload.length) payload[at] = random() < 0.5 ? pick(BYTES) : below(256);
        break;
      case 4:
        if (at + 4 <= payload.length) payload.writeInt32BE(pick(INTEGERS), at);
        break;
      case 5:
        payload = payload.subarray(0, Math.max(at, payload.length - 1 - below(4)));
        break;
      case 6:
        payload = Buffer.concat([payload, Buffer.alloc(1 + below(random() < 0.01 ? 70_000 : 6), pick(BYTES))]);
        break;
      case 7: {
        const length = 1 + below(4);
        payload = Buffer.concat([payload.subarray(0, at), Buffer.alloc(length, pick(BYTES)), payload.subarray(at)]);
        if (at < last) last += length;
        break;
      }
      case 8: {
        const length = Math.min(1 + below(4), payload.length - at);
        payload = Buffer.concat([payload.subarray(0, at), payload.subarray(at + length)]);
        if (at < last) last = Math.max(at, last - length);
        break;
      }
      default: {
        // Another operation behind this one: a batch, allowed or not.
        const other = pick(from).payload;
        if (payload[0] === 0x03 && other[0] === 0x03) payload = Buffer.concat([payload, other.subarray(33)]);
      }
    }
  }
  return { payload, last };
}

/** Repeatable random numbers in [0, 1): a 32-bit mixer (splitmix32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

function table(title: string, rows: Iterable<readonly [string, number | string]>): void {
  console.log(`\n${title}`);
  for (const [name, value] of rows) console.log(`${String(value).padStart(15)}  ${name}`);
}

if (import.meta.main) {
  const command = commandLine("test:mutations", "Throws mutated payloads at the parser.")
    .argument("[inputs]", "how many", wholeNumberFrom(1), 100_000)
    .argument("[seed]", "what they are drawn by", wholeNumberFrom(0), Date.now() % 2 ** 31);
  const [inputs, number] = command.parse().processedArgs as [number, number];
  const report = run(await seeds(), inputs, randomFrom(number));
  const descending = (counts: ReadonlyMap<string, number>) => [...counts].sort(([, a], [, b]) => b - a);
  table(
    "reached the last field, by format",
    [...report.formats].map(([name, { all, reached }]) => [name, `${reached} / ${all}`]),
  );
  table("read", descending(report.read));
  table("refused", descending(report.refused));
  const share = report.reachedLast / report.inputs;
  console.log(
    `\n${report.inputs} inputs (seed ${number}), no crash, nothing misread; ` +
      `${report.reachedLast} reached the last field (${(share * 100).toFixed(1)} %)`,
  );
  if (share < 0.5) process.exitCode = 1;
}
