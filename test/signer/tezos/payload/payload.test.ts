import { expect } from "chai";
import fc from "fast-check";
import { decode, encode } from "../../../../signer/tezos/crypto/base58.ts";
import { blake2b256 } from "../../../../signer/tezos/crypto/digest.ts";
import {
  type ConsensusRequest,
  type OperationRequest,
  parsePayload,
} from "../../../../signer/tezos/payload/payload.ts";
import { PayloadError } from "../../../../signer/tezos/payload/reader.ts";
import {
  attestation,
  type BlockFields,
  block,
  hash,
  int32,
  MAINNET,
  part,
  preattestation,
  transfer,
  type VoteFields,
  vote,
} from "../../../fixtures/payloads.ts";
import { vectors } from "../../../fixtures/vectors.ts";

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly parsed: {
    readonly blake2b256: string;
    readonly kind: string;
    readonly level?: number;
    readonly round?: number;
    readonly chain_id?: string;
    readonly branch?: string;
    readonly first_op_tag?: number;
    readonly dal_attestation_z?: string;
  };
  readonly expected?: { readonly watermark_hash_vh?: string | null } | null;
}

/** Vectors that are refused, and why: each would be refused on chain today. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "signatory/multiple operations": /^at byte 118: the operations of a batch have different sources/,
  "signatory/generic/Update consensus key": /^at byte 96: proof, which clients forge since protocol 023, needs 1 byte/,
  "lattejed/op-generic.json": /^at byte 34: result needs 100 bytes/, // tag 8 was a transaction until 2019
  "octez_u025/generic/double-baking-evidence": /^at byte 124: this is no Tenderbake fitness/, // an encoding sample
  "lattejed/op-block.json": /^at byte 0: magic byte 01 is a block of before Tenderbake/,
  "lattejed/op-endorsement.json": /^at byte 0: magic byte 02 is an endorsement of before Tenderbake/,
  "octez_u025/bls_mode_unsigned_attestation": /^at byte 37: tag 41 is the form that tz4 keys sign/,
  "octez_u025/bls_mode_unsigned_preattestation": /^at byte 37: tag 40 is the form that tz4 keys sign/,
};

const payloads: readonly Vector[] = vectors.payloads;
const bytesOf = ({ hex }: Vector) => Buffer.from(hex, "hex");
const bytes = (...values: readonly number[]) => Buffer.from(values);

function refusal(payload: Uint8Array): string {
  try {
    parsePayload(payload);
  } catch (error) {
    expect(error).to.be.instanceOf(PayloadError);
    const { message, offset } = error as PayloadError;
    expect(message.startsWith(`at byte ${offset}: `), message).to.equal(true);
    expect(offset).to.be.within(0, payload.length);
    return message;
  }
  throw new Error(`${Buffer.from(payload).toString("hex")} was read`);
}

describe("published payloads", () => {
  for (const vector of payloads) {
    const { name, parsed, expected } = vector;
    const why = REFUSED[name];
    if (why !== undefined) {
      it(`refuses ${name}`, () => {
        expect(refusal(bytesOf(vector))).to.match(why);
      });
      continue;
    }
    it(`reads ${name}`, () => {
      const request = parsePayload(bytesOf(vector));
      const digest = blake2b256(bytesOf(vector));
      expect(Buffer.from(digest).toString("hex")).to.equal(parsed.blake2b256);
      if (typeof expected?.watermark_hash_vh === "string") {
        expect(encode("vh", digest)).to.equal(expected.watermark_hash_vh);
      }
      if (request.type === "consensus") {
        const { level, round, chainId, operation } = request;
        expect({ level, round, chainId, operation }).to.deep.equal({
          level: parsed.level,
          round: parsed.round,
          chainId: parsed.chain_id,
          operation: parsed.kind,
        });
      } else if (request.type === "operation") {
        expect(request.branch).to.equal(parsed.branch);
        expect(request.operations[0]?.tag).to.equal(parsed.first_op_tag);
      } else {
        expect(parsed.kind).to.equal("michelson_packed");
      }
    });
  }

  it("reads all 60-odd transfers of the very long batch", () => {
    const batch = payloads.find(({ name }) => name === "signatory/generic/very long batch") as Vector;
    const { operations } = parsePayload(bytesOf(batch)) as OperationRequest;
    expect(operations.length).to.be.above(60);
    expect(new Set(operations.map(({ kind }) => kind))).to.deep.equal(new Set(["transaction"]));
  });

  it("refuses every one that ends early, at whatever byte", () => {
    for (const vector of payloads) {
      const payload = bytesOf(vector);
      // A batch that ends behind one of its operations is a shorter batch, and packed data has no known end.
      if (/batch|multiple|gotez/.test(vector.name)) continue;
      for (let length = 0; length < payload.length; length++) refusal(payload.subarray(0, length));
    }
  });
});

describe("magic bytes", () => {
  it("refuses an empty payload", () => {
    expect(refusal(bytes())).to.equal("at byte 0: the payload is empty");
  });

  it("refuses a client's authentication", () => {
    expect(refusal(bytes(4, 1, 2))).to.equal(
      "at byte 0: magic byte 04 is a client's authentication, which only clients sign",
    );
  });

  it("reads no magic byte but the five", () => {
    const content = attestation().subarray(1);
    const read = Array.from({ length: 256 }, (_, magic) => magic).filter((magic) => {
      try {
        parsePayload(Buffer.concat([bytes(magic), content]));
        return true;
      } catch (error) {
        expect(error).to.be.instanceOf(PayloadError);
        return false;
      }
    });
    expect(read).to.deep.equal([0x05, 0x13]);
  });

  it("refuses packed data without any data", () => {
    expect(refusal(bytes(5))).to.equal("at byte 1: no packed data follows the magic byte");
  });

  it("refuses whatever is longer than an operation may be", () => {
    expect(parsePayload(Buffer.alloc(32 * 1024, 5))).to.deep.equal({ type: "pack" });
    expect(refusal(Buffer.alloc(32 * 1024 + 1, 5))).to.equal(
      "at byte 32768: the payload has 32769 bytes, more than 32768",
    );
  });
});

/** Levels and rounds as the chain has them, the extremes often. */
const int31 = fc.oneof(fc.nat(2 ** 31 - 1), fc.constantFrom(0, 1, 2 ** 31 - 1));
const chainId = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((id) => encode("Net", id));
const hash32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("blocks", () => {
  const round = 6;
  const locked = { level: 11, round, lockedRound: 5, payloadRound: 5 };

  it("are read with the fitness round, whatever the payload round", () => {
    fc.assert(
      fc.property(chainId, int31, int31, int31, fc.boolean(), hash32, (chain, level, top, low, isLocked, nonce) => {
        const lockedRound = isLocked && top > 0 ? low % top : undefined;
        const payloadRound = low % (top + 1);
        const payload = block({ chainId: chain, level, round: top, lockedRound, payloadRound, seedNonceHash: nonce });
        expect(parsePayload(payload)).to.deep.equal({
          type: "consensus",
          kind: "block",
          operation: "block",
          chainId: chain,
          level,
          round: top,
        });
      }),
    );
  });

  it("may have any vote in their last byte, since protocols change its meaning", () => {
    for (let votes = 0; votes < 256; votes++) {
      expect((parsePayload(block({ votes })) as ConsensusRequest).level).to.equal(100);
    }
  });

  const refused: readonly (readonly [string, Uint8Array, string])[] = [
    ["a negative level", block({ level: -1 }), "5: level is negative"],
    ["the lowest level of all", block({ level: -(2 ** 31) }), "5: level is negative"],
    ["a negative round", block({ round: -1 }), "116: round is negative"],
    ["another level in the fitness", block({ fitnessLevel: 101 }), "96: fitness level is not the header's level 100"],
    [
      "another fitness version",
      block({ fitnessVersion: 1 }),
      "91: this is no Tenderbake fitness: its version must be 02",
    ],
    ["a negative locked round", block({ ...locked, lockedRound: -1 }), "104: locked round is negative"],
    [
      "a locked round that is not below the round",
      block({ ...locked, lockedRound: round }),
      "104: locked round 6 is not below round 6",
    ],
    [
      "a predecessor round that is not stored below zero",
      block({ predecessorRound: -1 }),
      "108: the predecessor's round must stand as -(round) - 1, so below zero",
    ],
    ["a negative payload round", block({ payloadRound: -1 }), "184: payload_round is negative"],
    ["a payload round above the round", block({ payloadRound: 1 }), "184: payload_round 1 is above round 0"],
    ["a byte after its end", Buffer.concat([block(), bytes(0)]), "198: the block header ends here; left over: 1 byte"],
    [
      "70,000 bytes after its end",
      Buffer.concat([block(), Buffer.alloc(70_000)]),
      "32768: the payload has 70198 bytes, more than 32768",
    ],
    [
      "a seed nonce hash that is neither there nor absent",
      block().fill(1, 196, 197),
      "196: seed_nonce_hash begins with 01, neither 00 (absent) nor ff (present)",
    ],
  ];
  for (const [what, payload, message] of refused) {
    it(`are refused with ${what}`, () => {
      expect(refusal(payload)).to.equal(`at byte ${message}`);
    });
  }

  /** A block whose fitness is replaced: its length stands at byte 83, its 33 bytes behind it. */
  const withFitness = (fitness: Uint8Array) =>
    Buffer.concat([block().subarray(0, 83), fitness, block().subarray(83 + 4 + 33)]);
  const [version, level, unlocked, predecessor, last] = [
    part(bytes(2)),
    part(int32(100)),
    part(),
    part(int32(-1)),
    part(int32(0)),
  ];
  const fitnesses: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["nothing", part(), /^at byte 87: the length of fitness version needs 4 bytes; left: 0/],
    ["four parts", part(version, level, unlocked, predecessor), /^at byte 112: the length of round needs 4 bytes/],
    ["six parts", part(version, level, unlocked, predecessor, last, last), /^at byte 120: the fitness ends here/],
    [
      "an empty version",
      part(part(), level, unlocked, predecessor, last),
      /^at byte 91: this is no Tenderbake fitness/,
    ],
    ["a long version", part(part(bytes(2, 2)), level, unlocked, predecessor, last), /^at byte 91: this is no Tender/],
    [
      "a level of 5 bytes",
      part(version, part(hash().subarray(27)), unlocked, predecessor, last),
      /^at byte 92: fitness level must have 4 bytes, not 5/,
    ],
    [
      "a locked round of 3 bytes",
      part(version, level, part(bytes(0, 0, 0)), predecessor, last),
      /^at byte 104: locked round needs 4 bytes; left: 3/,
    ],
    [
      "a locked round of 5 bytes",
      part(version, level, part(hash().subarray(27)), predecessor, last),
      /^at byte 108: the locked round ends here/,
    ],
    [
      "a round of 8 bytes",
      part(version, level, unlocked, predecessor, part(hash().subarray(24))),
      /^at byte 112: round must have 4 bytes, not 8/,
    ],
    ["random bytes", part(hash(0xa7)), /^at byte 87: fitness version is said to have 2812782503 bytes/],
    ["a length that goes past the end", int32(0x7fffffff), /^at byte 83: fitness is said to have 2147483647 bytes/],
  ];
  for (const [what, fitness, message] of fitnesses) {
    it(`are refused when their fitness is ${what}`, () => {
      expect(refusal(withFitness(fitness))).to.match(message);
    });
  }

  it("are refused when they end early, at whatever byte", () => {
    for (const fields of [{}, locked, { seedNonceHash: hash(9) }] satisfies BlockFields[]) {
      const payload = block(fields);
      for (let length = 0; length < payload.length; length++) refusal(payload.subarray(0, length));
    }
  });
});

describe("votes", () => {
  const forms: readonly (readonly [string, string, (fields: VoteFields) => Buffer])[] = [
    ["preattestation", "preattestation", preattestation],
    ["attestation", "attestation", attestation],
    ["attestation", "attestation_with_dal", (fields) => attestation({ ...fields, dal: 2048n })],
  ];
  for (const [kind, operation, make] of forms) {
    describe(operation, () => {
      it(`is read as a ${kind}, whatever its slot and hashes`, () => {
        fc.assert(
          fc.property(chainId, int31, int31, fc.nat(0xffff), hash32, (chain, level, round, slot, any) => {
            const payload = make({ chainId: chain, level, round, slot, branch: any, payloadHash: any });
            const expected = { type: "consensus", kind, operation, chainId: chain, level, round };
            expect(parsePayload(payload)).to.deep.equal(expected);
          }),
        );
      });

      it("is refused with a negative level or round", () => {
        for (const negative of [-1, -(2 ** 31)]) {
          expect(refusal(make({ level: negative }))).to.equal("at byte 40: level is negative");
          expect(refusal(make({ round: negative }))).to.equal("at byte 44: round is negative");
        }
      });

      it("is refused when it ends early, at whatever byte", () => {
        const payload = make({});
        for (let length = 0; length < payload.length; length++) refusal(payload.subarray(0, length));
      });

      it("is refused with anything after its end", () => {
        for (const extra of [bytes(0), bytes(1), Buffer.alloc(70), make({})]) {
          expect(refusal(Buffer.concat([make({}), extra]))).to.match(
            new RegExp(`the ${operation} ends here; left over`),
          );
        }
      });
    });
  }

  it("are refused under the other magic byte and with any other tag", () => {
    const readable = { 18: [20], 19: [21] } as const;
    for (const magic of [0x12, 0x13] as const) {
      for (let tag = 0; tag < 256; tag++) {
        if ((readable[magic] as readonly number[]).includes(tag)) continue;
        // 23 is read on: it lacks its bitset.
        const offset = magic === 0x13 && tag === 23 ? 80 : 37;
        expect(refusal(vote(magic, tag))).to.match(new RegExp(`^at byte ${offset}: `));
      }
    }
  });

  it("are refused when a plain attestation carries a bitset", () => {
    expect(refusal(Buffer.concat([attestation(), bytes(0x01)]))).to.match(/^at byte 80: the attestation ends here/);
  });

  it("are refused in the form that tz4 keys sign", () => {
    const short = (magic: number, tag: number) => {
      const whole = vote(magic, tag);
      return Buffer.concat([whole.subarray(0, 38), whole.subarray(40)]);
    };
    expect(refusal(short(0x12, 40))).to.equal(
      "at byte 37: tag 40 is the form that tz4 keys sign, which no key here is",
    );
    expect(refusal(short(0x13, 41))).to.equal(
      "at byte 37: tag 41 is the form that tz4 keys sign, which no key here is",
    );
  });

  describe("bitset of DAL slots", () => {
    const withDal = (...dal: readonly number[]) => Buffer.concat([vote(0x13, 23), bytes(...dal)]);

    it("may be any natural number up to 512 bytes long", () => {
      fc.assert(
        fc.property(fc.bigInt({ min: 0n, max: 2n ** 1000n }), (dal) => {
          expect((parsePayload(attestation({ dal })) as ConsensusRequest).operation).to.equal("attestation_with_dal");
        }),
      );
      expect(() => parsePayload(attestation({ dal: 2n ** (512n * 7n - 1n) - 1n }))).not.to.throw();
      expect(refusal(attestation({ dal: 2n ** (512n * 7n - 1n) }))).to.equal(
        "at byte 80: dal_attestation has more than 512 bytes",
      );
    });

    const refused: readonly (readonly [string, readonly number[], string])[] = [
      ["absent", [], "80: dal_attestation needs 1 byte; left: 0"],
      ["cut off", [0x80], "81: dal_attestation needs 1 byte; left: 0"],
      ["negative", [0x41], "80: dal_attestation is negative"],
      ["a negative zero", [0x40], "80: dal_attestation is a negative zero"],
      ["longer than it need be", [0x81, 0x00], "81: dal_attestation is not in its shortest form"],
      ["a long zero", [0x80, 0x80, 0x00], "82: dal_attestation is not in its shortest form"],
      ["followed by another", [0x01, 0x01], "81: the attestation_with_dal ends here; left over: 1 byte"],
    ];
    for (const [what, dal, message] of refused) {
      it(`is refused when ${what}`, () => {
        expect(refusal(withDal(...dal))).to.equal(`at byte ${message}`);
      });
    }
  });
});

describe("chain ids", () => {
  it("are told apart however many have been seen", () => {
    for (let seen = 0; seen < 50; seen++) {
      const id = encode("Net", Buffer.from([0, 0, 0, seen]));
      expect((parsePayload(preattestation({ chainId: id })) as ConsensusRequest).chainId).to.equal(id);
      expect((parsePayload(block()) as ConsensusRequest).chainId).to.equal(MAINNET);
    }
  });

  it("are not read into operations, whose first bytes are a branch", () => {
    expect(parsePayload(transfer())).not.to.have.property("chainId");
    expect(decode((parsePayload(transfer()) as OperationRequest).branch, "B").bytes).to.deep.equal(
      new Uint8Array(transfer().subarray(1, 33)),
    );
  });
});
