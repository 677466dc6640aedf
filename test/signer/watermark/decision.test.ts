import { expect } from "chai";
import fc from "fast-check";
import { compare, decide, type Mark } from "../../../signer/watermark/decision.ts";

const INT32 = 2 ** 31 - 1;

describe("watermark decision", () => {
  const row: Mark = { level: 100, round: 2, digest: "aa" };

  it("reserves the first position of a row that is not there", () => {
    expect(decide(undefined, { level: 1, round: 0 }, "aa")).to.deep.equal({ verdict: "reserve" });
  });

  it("reserves a higher round at the same level", () => {
    expect(decide(row, { level: 100, round: 3 }, "aa")).to.deep.equal({ verdict: "reserve" });
  });

  it("reserves a lower round at a higher level", () => {
    expect(decide(row, { level: 101, round: 0 }, "bb")).to.deep.equal({ verdict: "reserve" });
  });

  it("refuses a lower round at the same level", () => {
    expect(decide(row, { level: 100, round: 1 }, "aa")).to.deep.equal({ verdict: "refuse", reason: "below" });
  });

  it("refuses a lower level at a higher round, the same bytes too", () => {
    expect(decide(row, { level: 99, round: 7 }, "aa")).to.deep.equal({ verdict: "refuse", reason: "below" });
  });

  it("refuses other bytes at the recorded position", () => {
    expect(decide(row, row, "bb")).to.deep.equal({ verdict: "refuse", reason: "other-bytes" });
  });

  it("refuses every bytes at a position whose digest is not known", () => {
    expect(decide({ level: 100, round: 2 }, row, "aa")).to.deep.equal({ verdict: "refuse", reason: "other-bytes" });
  });

  it("lets the reserved bytes be signed while no signature is stored", () => {
    expect(decide(row, row, "aa")).to.deep.equal({ verdict: "resume" });
  });

  it("returns the stored signature for the same bytes", () => {
    expect(decide({ ...row, signature: "ff" }, row, "aa")).to.deep.equal({ verdict: "return", signature: "ff" });
  });

  it("does not return a stored signature to other bytes", () => {
    expect(decide({ ...row, signature: "ff" }, row, "bb")).to.deep.equal({ verdict: "refuse", reason: "other-bytes" });
  });

  it("compares the ends of int32 as numbers, where a 32-bit difference would overflow", () => {
    expect(compare({ level: INT32, round: 0 }, { level: -INT32 - 1, round: 0 })).to.equal(1);
    expect(compare({ level: 0, round: -INT32 - 1 }, { level: 0, round: INT32 })).to.equal(-1);
  });

  it("orders positions as level and round one after the other, totally", () => {
    const number = fc.integer({ min: 0, max: INT32 });
    const position = fc.record({ level: number, round: number });
    fc.assert(
      fc.property(position, position, (a, b) => {
        const wide = ({ level, round }: typeof a) => BigInt(level) * 2n ** 32n + BigInt(round);
        const expected = wide(a) < wide(b) ? -1 : wide(a) > wide(b) ? 1 : 0;
        expect(compare(a, b)).to.equal(expected);
        expect(compare(b, a)).to.equal(expected === 0 ? 0 : -expected);
      }),
    );
  });
});
