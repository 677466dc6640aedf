import { expect } from "chai";
import fc from "fast-check";
import { compare, decide, type Mark } from "../../../../signer/watermark/decision.ts";
import { merge, mergeAll } from "../../../../signer/watermark/interchange/merge.ts";
import { KEY } from "../../../fixtures/watermark-rows.ts";

const position = { level: fc.nat({ max: 3 }), round: fc.nat({ max: 1 }) };
const digest = fc.constantFrom("aa", "bb");

const MARK: fc.Arbitrary<Mark> = fc.oneof(
  fc.record(position),
  fc.record({ ...position, digest }),
  fc.record({ ...position, digest, signature: fc.constantFrom("11", "22") }),
);

describe("merge of two records", () => {
  it("never allows what one of them refuses", () => {
    fc.assert(
      fc.property(MARK, MARK, fc.record(position), digest, (own, other, asked, bytes) => {
        const merged = decide(merge(own, other), asked, bytes);
        if (merged.verdict === "refuse") return;
        for (const one of [own, other]) expect(decide(one, asked, bytes).verdict).not.to.equal("refuse");
      }),
      { numRuns: 5_000 },
    );
  });

  it("never signs anew a block that one of them has a signature for", () => {
    fc.assert(
      fc.property(MARK, MARK, digest, (own, other, bytes) => {
        for (const one of [own, other]) {
          const kept = decide(one, one, bytes);
          if (kept.verdict !== "return") continue;
          const merged = decide(merge(own, other), one, bytes);
          if (merged.verdict !== "refuse") expect(merged).to.deep.equal(kept);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it("is at the higher of both, whichever comes first, and changes nothing when repeated", () => {
    fc.assert(
      fc.property(MARK, MARK, (one, two) => {
        const merged = merge(one, two);
        expect(compare(merged, merge(two, one))).to.equal(0);
        expect(Math.max(compare(one, merged), compare(two, merged))).to.equal(0);
        expect(merge(merged, one)).to.equal(merged);
        expect(merge(merged, two)).to.equal(merged);
      }),
    );
  });

  it("takes the highest of many marks of one row", () => {
    const marks = [3, 9, 5].map((level) => ({ key: KEY, mark: { level, round: 0, digest: "aa" } }));
    expect(mergeAll(marks)).to.deep.equal([marks[1]]);
  });
});
