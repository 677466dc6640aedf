import { expect } from "chai";
import fc from "fast-check";
import { OPERATION_KINDS, type Operation, type TransactionFields } from "../../../../signer/tezos/payload/operation.ts";
import { type OperationRequest, parsePayload } from "../../../../signer/tezos/payload/payload.ts";
import { PayloadError } from "../../../../signer/tezos/payload/reader.ts";
import { EXAMPLES, KT1, payloadOf, taquitoReads } from "../../../fixtures/operation-examples.ts";
import {
  BRANCH,
  contract,
  hash,
  int32,
  manager,
  named,
  natural,
  OTHER,
  operations,
  part,
  publicKeyHash,
  SOURCE,
  transaction,
  transfer,
  UNIT_BYTES,
  vote,
} from "../../../fixtures/payloads.ts";

const bytes = (...values: readonly number[]) => Buffer.from(values);

function only(payload: Uint8Array): Operation {
  const { operations: all } = parsePayload(payload) as OperationRequest;
  expect(all).to.have.length(1);
  return all[0] as Operation;
}

function refusal(payload: Uint8Array): string {
  try {
    parsePayload(payload);
  } catch (error) {
    expect(error).to.be.instanceOf(PayloadError);
    return (error as Error).message;
  }
  throw new Error(`${Buffer.from(payload).toString("hex")} was read`);
}

describe("operations", () => {
  for (const example of EXAMPLES) {
    const by = example.contents === undefined ? "forged by hand" : "forged by Taquito";
    it(`reads ${example.name} ${by}`, async () => {
      const expected = { type: "operation", branch: BRANCH, operations: [example.operation] };
      expect(parsePayload(await payloadOf(example))).to.deep.equal(expected);
    });
  }

  it("has examples that Taquito reads back as it wrote them", async () => {
    for (const example of EXAMPLES.filter(({ contents }) => contents !== undefined)) {
      const read = (await taquitoReads(await payloadOf(example))) as { contents: Readonly<Record<string, unknown>>[] };
      expect(read.contents[0], example.name).to.deep.equal(example.contents);
    }
  });

  it("has an example of every kind that policies can name", () => {
    expect(new Set(EXAMPLES.map(({ operation }) => operation.kind))).to.deep.equal(new Set(OPERATION_KINDS));
  });

  it("refuses every example that ends early, at whatever byte", async () => {
    for (const example of EXAMPLES) {
      const payload = await payloadOf(example);
      for (let length = 0; length < payload.length; length++) refusal(payload.subarray(0, length));
    }
  });

  it("refuses every example with a byte after its end", async () => {
    for (const example of EXAMPLES) {
      const payload = await payloadOf(example);
      for (const extra of [0x00, 0x6c, 0xff]) {
        const longer = Buffer.concat([payload, bytes(extra)]);
        expect(refusal(longer), example.name).to.match(new RegExp(`^at byte (${payload.length}|${longer.length}): `));
      }
    }
  });

  it("reads any transfer as Taquito does", async () => {
    const uint63 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    const numbers = fc.record({ amount: uint63, fee: uint63, counter: uint63, gasLimit: uint63, storageLimit: uint63 });
    const property = fc.asyncProperty(numbers, fc.constantFrom(OTHER, KT1), async (given, destination) => {
      const payload = transfer({ ...given, destination });
      const { amount, fee, counter, gasLimit, storageLimit } = only(payload) as Operation & { kind: "transaction" };
      expect({ amount, fee, counter, gasLimit, storageLimit }).to.deep.equal(given);
      expect(await taquitoReads(payload)).to.deep.equal({
        branch: BRANCH,
        contents: [
          {
            kind: "transaction",
            source: SOURCE,
            amount: String(amount),
            fee: String(fee),
            counter: String(counter),
            gas_limit: String(gasLimit),
            storage_limit: String(storageLimit),
            destination,
          },
        ],
      });
    });
    await fc.assert(property, { numRuns: 200 });
  });
});

describe("pseudo-operations", () => {
  for (const kind of ["stake", "unstake", "finalize_unstake", "set_delegate_parameters"]) {
    it(`names ${kind} when the entrypoint is spelled out instead of numbered`, () => {
      expect(only(transfer({ destination: SOURCE, entrypoint: named(kind) })).kind).to.equal(kind);
    });

    it(`leaves ${kind} a transaction when it goes to another account`, () => {
      expect(only(transfer({ destination: OTHER, entrypoint: named(kind) })).kind).to.equal("transaction");
    });

    it(`leaves ${kind} a transaction when it goes to a contract`, () => {
      expect(only(transfer({ destination: KT1, entrypoint: named(kind) })).kind).to.equal("transaction");
    });
  }

  it("leaves a plain transfer to oneself a transaction", () => {
    expect(only(transfer({ destination: SOURCE })).kind).to.equal("transaction");
  });
});

describe("batches", () => {
  it("reads every operation of a batch", () => {
    const payload = operations(
      manager(107, { counter: 7n }, bytes(2), bytes(2), new Uint8Array(32), bytes(0)),
      transaction({ counter: 8n, destination: SOURCE, entrypoint: bytes(6) }),
      manager(110, { counter: 9n }, bytes(0)),
    );
    const { operations: all } = parsePayload(payload) as OperationRequest;
    expect(all.map(({ kind }) => kind)).to.deep.equal(["reveal", "stake", "delegation"]);
  });

  it("refuses an empty batch", () => {
    expect(refusal(operations())).to.equal("at byte 33: operation tag needs 1 byte; left: 0");
  });

  const first = transaction({ counter: 8n });
  const second = 33 + first.length;
  const refused: readonly (readonly [string, Uint8Array, string])[] = [
    [
      "an operation that stands alone, such as a drain of the account",
      Buffer.concat([bytes(9), publicKeyHash(SOURCE), publicKeyHash(SOURCE), publicKeyHash(OTHER)]),
      `at byte ${second}: tag 9 is no manager operation, so it cannot stand in a batch`,
    ],
    [
      "another source",
      transaction({ counter: 9n, source: OTHER }),
      `at byte ${second}: the operations of a batch have different sources`,
    ],
    [
      "a counter that does not follow",
      transaction({ counter: 10n }),
      `at byte ${second}: counter 10 does not follow 8 of the operation before`,
    ],
    [
      "a reveal behind another operation",
      manager(107, { counter: 9n }, bytes(2), new Uint8Array(33), bytes(0)),
      `at byte ${second}: a reveal can only be the first of a batch`,
    ],
  ];
  for (const [what, contents, message] of refused) {
    it(`refuses a batch with ${what}`, () => {
      expect(refusal(operations(first, contents))).to.equal(message);
    });
  }

  it("refuses a manager operation behind one that stands alone", () => {
    const noop = Buffer.concat([bytes(17), part()]);
    expect(refusal(operations(noop, first))).to.match(
      /^at byte 38: the failing_noop, which stands alone, ends here; left over: /,
    );
  });
});

describe("refused operations", () => {
  const tags: readonly (readonly [number, RegExp])[] = [
    [0, /tag 0 is unknown/],
    [7, /double_preattestation_evidence/],
    [20, /a preattestation, which goes under magic byte 12/],
    [21, /an attestation, which goes under magic byte 13/],
    [23, /an attestation_with_dal, which goes under magic byte 13/],
    [40, /that tz4 keys sign/],
    [41, /that tz4 keys sign/],
    [250, /zk_rollup_origination/],
    [251, /zk_rollup_publish/],
    [252, /zk_rollup_update/],
    [253, /tag 253 is unknown/],
    [255, /the prefix of a signature/],
    ...[150, 151, 152, 153, 154, 155, 156, 157].map((tag) => [tag, /transaction rollups/] as const),
  ];
  for (const [tag, message] of tags) {
    it(`refuses tag ${tag} by name`, () => {
      expect(refusal(operations(manager(tag, {}))))
        .to.match(/^at byte 33: operation tag /)
        .and.to.match(message);
    });
  }

  it("reads no tag but those of the table", () => {
    const known = new Set(EXAMPLES.map(({ operation }) => operation.tag));
    for (let tag = 0; tag < 256; tag++) {
      if (known.has(tag)) continue;
      expect(refusal(operations(manager(tag, {})))).to.match(/^at byte 33: /);
    }
  });

  it("refuses an attestation under the magic byte of operations", () => {
    const payload = Buffer.concat([bytes(3), vote(0x13, 21).subarray(5)]);
    expect(refusal(payload)).to.equal("at byte 33: operation tag 21 is an attestation, which goes under magic byte 13");
  });
});

describe("fields of operations", () => {
  const header = 33 + 1 + 21; // magic byte and branch, tag, source: here the fee begins

  function withFee(fee: Uint8Array): Uint8Array {
    return operations(bytes(110), publicKeyHash(SOURCE), fee, bytes(1, 1, 1), bytes(0));
  }

  const refused: readonly (readonly [string, Uint8Array, string])[] = [
    [
      "a fee that is not in its shortest form",
      withFee(bytes(0x81, 0x00)),
      `${header + 1}: fee is not in its shortest form`,
    ],
    ["a fee of 2^63 mutez", withFee(natural(2n ** 63n)), `${header}: fee is above 2^63 - 1 mutez`],
    ["a fee of 11 bytes", withFee(natural(2n ** 70n)), `${header}: fee has more than 10 bytes`],
    [
      "a counter of 11 bytes",
      operations(manager(110, { counter: 2n ** 70n }, bytes(0))),
      `${header + 2}: counter has more than 10 bytes`,
    ],
    [
      "a gas limit of 11 bytes",
      operations(manager(110, { gasLimit: 2n ** 70n }, bytes(0))),
      `${header + 3}: gas_limit has more than 10 bytes`,
    ],
    [
      "a storage limit of 11 bytes",
      operations(manager(110, { storageLimit: 2n ** 70n }, bytes(0))),
      `${header + 5}: storage_limit has more than 10 bytes`,
    ],
    [
      "an option that is neither 00 nor ff",
      operations(manager(110, {}, bytes(1))),
      `${header + 7}: delegate begins with 01, neither 00 (absent) nor ff (present)`,
    ],
    [
      "a source of an unknown kind",
      operations(bytes(110, 5), new Uint8Array(24)),
      "34: source begins with 05, which names no kind of key",
    ],
    [
      "a public key of an unknown kind",
      operations(manager(107, {}, bytes(5))),
      `${header + 7}: public_key begins with 05, which names no kind of key`,
    ],
    [
      "an ML-DSA-44 public key",
      operations(manager(107, {}, bytes(4), new Uint8Array(1312), bytes(0))),
      `${header + 7}: public_key is an ML-DSA-44 key, which this signer does not read`,
    ],
    [
      "a destination that is neither account nor contract",
      operations(manager(108, {}, bytes(0, 2), new Uint8Array(22))),
      `${header + 8}: destination begins with 02, neither 00 (an account) nor 01 (a contract)`,
    ],
    [
      "a contract whose last byte is not zero",
      operations(manager(108, {}, bytes(0), contract(KT1).fill(9, 21), bytes(0))),
      `${header + 29}: destination must end with a zero byte`,
    ],
    [
      "paid storage for an account",
      operations(manager(113, {}, bytes(1), contract(OTHER))),
      `${header + 8}: destination begins with 00, not with 01 (a contract)`,
    ],
    [
      "a proof of possession that is not 96 bytes long",
      operations(manager(107, {}, bytes(3), new Uint8Array(48), bytes(0xff), part(new Uint8Array(97)))),
      `${header + 7 + 1 + 48 + 1 + 4 + 96}: the proof ends here; left over: 1 byte`,
    ],
    [
      "a ticket amount of zero",
      operations(
        manager(158, {}, part(UNIT_BYTES), part(UNIT_BYTES), contract(KT1), bytes(0), contract(OTHER), part()),
      ),
      `${header + 7 + 6 + 6 + 22}: ticket_amount is zero`,
    ],
    [
      "a negative number of ticks",
      operations(manager(203, {}, new Uint8Array(20 + 32), int32(1), new Uint8Array(32), Buffer.alloc(8, 0xff))),
      `${header + 7 + 20 + 32 + 4 + 32}: number_of_ticks is negative`,
    ],
    [
      "evidence whose signature has no signature's length",
      operations(bytes(2, 0, 0), part(vote(0x13, 21).subarray(5), new Uint8Array(65))),
      `${33 + 3 + 4 + 75}: no signature has 65 bytes`,
    ],
    [
      "evidence of something else than a vote",
      operations(bytes(2, 0, 0), part(new Uint8Array(32), bytes(108))),
      `${33 + 3 + 4 + 32}: tag 108 is no consensus operation`,
    ],
    ["an unknown kind of rollup", operations(manager(200, {}, bytes(3))), `${header + 7}: 03 is no kind of rollup`],
    [
      "more than 20 proposals",
      operations(bytes(5), publicKeyHash(SOURCE), int32(1), part(new Uint8Array(21 * 32))),
      "59: there are more than 20 proposals",
    ],
    [
      "an unknown ballot",
      operations(bytes(6), publicKeyHash(SOURCE), int32(1), hash(), bytes(3)),
      "91: 03 is no ballot",
    ],
    [
      "a part that is longer than what is left",
      operations(bytes(17), bytes(0xff, 0xff, 0xff, 0xff), bytes(1, 2)),
      "34: arbitrary is said to have 4294967295 bytes; left: 2",
    ],
  ];
  for (const [what, payload, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(refusal(payload)).to.equal(`at byte ${message}`);
    });
  }

  it("reads a destination of the post-quantum kind, tz5", () => {
    const contents = manager(108, {}, bytes(0), bytes(0, 4), new Uint8Array(20), bytes(0));
    expect((only(operations(contents)) as Operation & TransactionFields).destination).to.match(/^tz5/);
  });
});

describe("entrypoints", () => {
  function entrypointOf(entrypoint: Uint8Array): string {
    return (only(transfer({ destination: KT1, entrypoint })) as Operation & TransactionFields).entrypoint;
  }

  it("takes an empty name for default", () => {
    expect(entrypointOf(named(""))).to.equal("default");
  });

  it("reads names of up to 31 characters", () => {
    expect(entrypointOf(named("a".repeat(31)))).to.equal("a".repeat(31));
    expect(() => entrypointOf(named("a".repeat(32)))).to.throw(PayloadError, "at most 31 characters, not 32");
  });

  it("refuses characters that no entrypoint has", () => {
    for (const name of ["a b", "a\n", "é", "\u001b[2J"]) {
      expect(() => entrypointOf(named(name)), name).to.throw(PayloadError, "letters, digits, _ . % @ only");
    }
  });

  it("refuses an unknown number", () => {
    expect(() => entrypointOf(bytes(10))).to.throw(PayloadError, "0a is no entrypoint's number");
  });
});
