import { CODEC, getCodec, opMapping, ProtocolsHash } from "@taquito/local-forging";
import { expect } from "chai";
import fc from "fast-check";
import { type Micheline, readScript } from "../../../../signer/tezos/payload/micheline.ts";
import { PRIMITIVES } from "../../../../signer/tezos/payload/michelson-primitives.ts";
import { PayloadError, Reader } from "../../../../signer/tezos/payload/reader.ts";
import { part } from "../../../fixtures/payloads.ts";

function read(hex: string): Micheline {
  return readScript(new Reader(part(Buffer.from(hex, "hex"))), "parameters");
}

const taquito = getCodec(CODEC.VALUE, ProtocolsHash.PsUshuai9);

/** How many arguments Taquito writes correctly: its general form is for these five only. */
const ARGUMENTS: Readonly<Record<string, readonly [number, number]>> = {
  Pair: [0, 5],
  pair: [0, 5],
  LAMBDA: [3, 3],
  LAMBDA_REC: [3, 3],
  view: [4, 4],
};

const annotation = fc.stringMatching(/^[@:$&%!?][\w.%@]{0,10}$/);

/** Arbitrary Micheline in octez's JSON form, of every kind of node. */
const { node } = fc.letrec<{ node: Micheline }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.bigInt().map((value): Micheline => ({ int: value.toString() })),
    fc.stringMatching(/^[\n\x20-\x7e]{0,20}$/).map((string): Micheline => ({ string })),
    fc.uint8Array({ maxLength: 20 }).map((bytes): Micheline => ({ bytes: Buffer.from(bytes).toString("hex") })),
    fc.array(tie("node"), { maxLength: 4 }),
    fc.constantFrom(...PRIMITIVES).chain((prim) => {
      const [minLength, maxLength] = ARGUMENTS[prim] ?? [0, 2];
      const annots = minLength > 0 ? fc.constant([]) : fc.array(annotation, { maxLength: 3 });
      return fc.tuple(fc.array(tie("node"), { minLength, maxLength }), annots).map(
        ([args, some]): Micheline => ({
          prim,
          ...(args.length > 0 && { args }),
          ...(some.length > 0 && { annots: some }),
        }),
      );
    }),
  ),
}));

describe("Micheline", () => {
  it("numbers the primitives as Taquito does", () => {
    const theirs = Object.entries(opMapping).sort(([a], [b]) => a.localeCompare(b));
    expect(PRIMITIVES).to.deep.equal(theirs.map(([, prim]) => prim));
  });

  it("reads whatever Taquito writes", () => {
    fc.assert(
      fc.property(node, (expression) => {
        const hex = taquito.encoder(expression);
        expect(readScript(new Reader(Buffer.from(hex, "hex")), "parameters")).to.deep.equal(expression);
      }),
      { numRuns: 500 },
    );
  });

  it("reads any primitive with many arguments and annotations in the general form", () => {
    const args = [{ int: "1" }, { int: "2" }, { int: "3" }];
    expect(read("091f00000006000100020003000000052561202562")).to.deep.equal({
      prim: "DIP",
      args,
      annots: ["%a", "%b"],
    });
  });

  const refused: readonly (readonly [string, string, string])[] = [
    ["nothing at all", "", "4: parameters needs 1 byte; left: 0"],
    ["an unknown node", "0b", "4: 0b begins no Micheline node"],
    ["an unknown primitive", "03a1", "5: a1 is no Michelson primitive"],
    ["a second expression", "030b030b", "6: parameters ends here; left over: 2 bytes"],
    ["an integer with a needless byte", "008000", "6: an integer in parameters is not in its shortest form"],
    ["a negative zero", "0040", "5: an integer in parameters is a negative zero"],
    [
      "a string with an escape character",
      "01000000021b5b",
      "9: a string in parameters has a character that is not printable",
    ],
    ["a string beyond ASCII", "0100000001e9", "9: a string in parameters has a character that is not printable"],
    ["an annotation without a sign", "040b0000000161", "10: parameters has a malformed annotation"],
    [
      "two spaces between annotations",
      "040b00000005256120202561".slice(0, 22),
      "10: parameters has a malformed annotation",
    ],
    ["a sequence that is cut off", "0200000003030b00", "12: an integer in parameters needs 1 byte; left: 0"],
  ];
  for (const [what, hex, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => read(hex)).to.throw(PayloadError, `at byte ${message}`);
    });
  }

  it("reads an expression nested 1,000 deep and refuses one nested deeper", () => {
    const nested = (depth: number) => `${"0509".repeat(depth)}030b`;
    expect(() => read(nested(1000))).not.to.throw();
    expect(() => read(nested(1001))).to.throw(PayloadError, "at byte 2006: parameters is nested deeper than 1000");
    expect(() => read(nested(16_000))).to.throw(PayloadError, "nested deeper than 1000");
  });

  it("reads an integer that fills the payload at once, and not byte by byte", () => {
    const { BigInt: real } = globalThis;
    let made = 0;
    globalThis.BigInt = new Proxy(real, {
      apply(target, self, values) {
        made += 1;
        return Reflect.apply(target, self, values);
      },
    });
    try {
      // Its first byte has six bits and the sign, the others seven each, the last one a single bit.
      expect(read(`00bf${"ff".repeat(32_000)}01`)).to.deep.equal({ int: String(2n ** (6n + 32_000n * 7n + 1n) - 1n) });
    } finally {
      globalThis.BigInt = real;
    }
    expect(made).to.equal(1);
  });
});
