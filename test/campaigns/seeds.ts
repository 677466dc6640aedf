import { parsePayload, type SigningRequest } from "../../signer/tezos/payload/payload.ts";
import { PayloadError } from "../../signer/tezos/payload/reader.ts";
import { EXAMPLES, KT1, payloadOf } from "../fixtures/operation-examples.ts";
import {
  attestation,
  block,
  contract,
  hash,
  int32,
  manager,
  named,
  natural,
  OTHER,
  operations,
  part,
  preattestation,
  publicKeyHash,
  SOURCE,
  transaction,
  transfer,
  UNIT_BYTES,
  uint16,
  vote,
} from "../fixtures/payloads.ts";

/** A payload to start from. */
export interface Seed {
  readonly format: string;
  readonly payload: Buffer;
  /** Where its last field begins; nowhere in a payload that is refused as it is. */
  readonly last: number;
}

const bytes = (...values: readonly number[]) => Buffer.from(values);

/** Payloads at the limits of what is read, and one step beyond. */
function edges(): Buffer[] {
  const call = (parameters: Uint8Array) => transfer({ destination: KT1, entrypoint: named("a"), parameters });
  const nested = (depth: number) => Buffer.concat([Buffer.from("0509".repeat(depth), "hex"), UNIT_BYTES]);
  const rawData = (length: number) =>
    operations(
      manager(204, {}, new Uint8Array(20), publicKeyHash(SOURCE), bytes(1, 5, 1), part(), bytes(0xff, 1, 0)),
      uint16(length),
      new Uint8Array(length),
    );
  const ticket = (amount: bigint) =>
    manager(158, {}, part(UNIT_BYTES), part(UNIT_BYTES), contract(KT1), natural(amount), contract(KT1), part());
  const proposals = (count: number) =>
    operations(bytes(5), publicKeyHash(SOURCE), int32(1), part(new Uint8Array(count * 32)));
  const fees = [2n ** 63n - 1n, 2n ** 63n, 2n ** 70n];
  return [
    bytes(),
    bytes(5),
    Buffer.alloc(32 * 1024, 5),
    Buffer.alloc(32 * 1024 + 1, 5),
    block({ level: 2 ** 31 - 1, round: 2 ** 31 - 1, payloadRound: 2 ** 31 - 1 }),
    block({ payloadRound: 1 }),
    block({ round: 6, lockedRound: 6 }),
    block({ fitnessLevel: 101 }),
    block({ fitnessVersion: 1 }),
    attestation({ dal: 2n ** (512n * 7n - 1n) - 1n }),
    attestation({ dal: 2n ** (512n * 7n - 1n) }),
    attestation({ dal: -1n }),
    Buffer.concat([vote(0x13, 23), bytes(0x40)]),
    vote(0x12, 40),
    vote(0x13, 41),
    proposals(20),
    proposals(21),
    ...fees.map((fee) => transfer({ fee })),
    transfer({ counter: 2n ** 70n }),
    call(nested(1000)),
    call(nested(1001)),
    call(Buffer.from("091f0000000400010002000000052561202562", "hex")),
    transfer({ destination: KT1, entrypoint: named("a".repeat(31)) }),
    transfer({ destination: KT1, entrypoint: named("a".repeat(32)) }),
    transfer({ destination: KT1, entrypoint: named("") }),
    transfer({ destination: KT1, entrypoint: bytes(10) }),
    rawData(4096),
    rawData(4097),
    operations(ticket(1n)),
    operations(ticket(0n)),
    operations(manager(107, {}, bytes(4), new Uint8Array(1312), bytes(0))),
    operations(manager(108, {}, bytes(0), contract(KT1).fill(9, 21), bytes(0))),
    ...[7, 20, 40, 150, 250, 255].map((tag) => operations(manager(tag, {}))),
    ...[
      transaction({ counter: 2n, source: OTHER }),
      transaction({ counter: 3n }),
      manager(107, { counter: 2n }, REVEALED),
    ].map((second) => operations(transaction(), second)),
    operations(transaction(), transaction({ counter: 2n }), transaction({ counter: 3n })),
  ];
}

const REVEALED = Buffer.concat([bytes(2), new Uint8Array(33), bytes(0)]);

/** A payload of every format and kind, and the edges. */
export async function seeds(): Promise<Seed[]> {
  const consensus: [string, Buffer][] = [
    ["block", block()],
    ["block", block({ round: 6, lockedRound: 5, payloadRound: 5, seedNonceHash: hash(9) })],
    ["preattestation", preattestation({ level: 7, round: 1 })],
    ["attestation", attestation({ level: 7, round: 1 })],
    ["attestation_with_dal", attestation({ level: 7, round: 1, dal: 12345n })],
    ["pack", Buffer.from("05010000000161", "hex")],
  ];
  const forged = await Promise.all(
    EXAMPLES.map(async (example): Promise<[string, Buffer]> => [example.operation.kind, await payloadOf(example)]),
  );
  const all = [...consensus, ...consensus, ...forged, ...edges().map((payload): [string, Buffer] => ["edge", payload])];
  return all.map(([format, payload]) => ({ format, payload, last: lastField(payload) }));
}

/** The last field begins where the parser stops when the last byte is missing. */
function lastField(payload: Buffer): number {
  if (!(outcome(payload) instanceof PayloadError)) {
    const shorter = outcome(payload.subarray(0, -1));
    return shorter instanceof PayloadError ? shorter.offset : 1;
  }
  return Number.POSITIVE_INFINITY;
}

/** What the parser makes of a payload; anything thrown but a PayloadError is a crash. */
export function outcome(payload: Uint8Array): SigningRequest | PayloadError {
  try {
    return parsePayload(payload);
  } catch (error) {
    if (error instanceof PayloadError) return error;
    throw new Error(`crashed on ${Buffer.from(payload).toString("hex")}`, { cause: error });
  }
}
