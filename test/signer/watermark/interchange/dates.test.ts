import { expect } from "chai";
import fc from "fast-check";
import { type Anchor, highestPlausible } from "../../../../signer/watermark/anchor.ts";
import { anchorsOf, type DatedRecord, dateOf, laxer } from "../../../../signer/watermark/interchange/dates.ts";
import { InterchangeError } from "../../../../signer/watermark/interchange/format.ts";
import type { RowKey } from "../../../../signer/watermark/stores/store.ts";
import { MAINNET } from "../../../fixtures/payloads.ts";
import { BLOCK_KEY, KEY } from "../../../fixtures/watermark-rows.ts";

const NOW = Date.parse("2026-11-20T16:00:00Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NO_HEADS = new Map<string, number>();
const OTHER_CHAIN = { ...KEY, chainId: "NetXnHfVqm9iesp" };

function record(marks: readonly [RowKey, number][], times: Partial<DatedRecord> = {}): DatedRecord {
  const named = marks.map(([key, level]) => ({ key, mark: { level, round: 0 } }));
  return { name: "marks.json", marks: named, ...times };
}

describe("the date of a record", () => {
  for (const [what, times, date] of [
    ["is what it says itself", { writtenAt: NOW - 90 * DAY, modifiedAt: NOW }, NOW - 90 * DAY],
    ["is its file's, where it says none", { modifiedAt: NOW - 29 * DAY }, NOW - 29 * DAY],
    ["is not its file's after 30 days", { modifiedAt: NOW - 31 * DAY }, undefined],
    ["is never of the future", { modifiedAt: NOW + HOUR }, undefined],
    [
      "is its file's, where it says a time of the future",
      { writtenAt: NOW + HOUR, modifiedAt: NOW - HOUR },
      NOW - HOUR,
    ],
    ["is now, where another computer's clock is a little ahead", { writtenAt: NOW + 2_000 }, NOW],
    ["is not known of a text without one", {}, undefined],
  ] as const) {
    it(what, () => {
      expect(dateOf(record([], times), NOW)).to.equal(date);
    });
  }
});

describe("the anchors of imported marks", () => {
  const anchor = (records: readonly DatedRecord[], heads: ReadonlyMap<string, number>, key: RowKey, level: number) =>
    anchorsOf(records, heads, NOW)(key, { level, round: 0 });

  it("are of a key's highest kind on the chain, at the date of that record", () => {
    const blocks = record([[BLOCK_KEY, 9_000_000]], { modifiedAt: NOW - 2 * DAY });
    const votes = record([[KEY, 9_028_800]], { modifiedAt: NOW - HOUR });
    for (const key of [KEY, BLOCK_KEY]) {
      expect(anchor([blocks, votes], NO_HEADS, key, 1)).to.deep.equal({ level: 9_028_800, at: NOW - HOUR });
    }
  });

  it("are of each chain by itself", () => {
    const one = record(
      [
        [KEY, 9_000_000],
        [OTHER_CHAIN, 5],
      ],
      { modifiedAt: NOW },
    );
    expect(anchor([one], NO_HEADS, OTHER_CHAIN, 5)).to.deep.equal({ level: 5, at: NOW });
  });

  it("are of the chain's head where it was told, but never below the mark", () => {
    const heads = new Map([[MAINNET, 9_100_000]]);
    const one = record([[KEY, 9_000_000]]);
    expect(anchor([one], heads, KEY, 9_000_000)).to.deep.equal({ level: 9_100_000, at: NOW });
    expect(anchor([one], heads, BLOCK_KEY, 9_200_000)).to.deep.equal({ level: 9_200_000, at: NOW });
  });

  it("are refused where neither date nor head is known of a chain", () => {
    const one = record([
      [KEY, 9_000_000],
      [OTHER_CHAIN, 5],
    ]);
    expect(() => anchorsOf([one], new Map([[MAINNET, 1]]), NOW)).to.throw(
      InterchangeError,
      `marks.json is without a date, so how far ${OTHER_CHAIN.chainId} has gone on since its marks is not known.`,
    );
  });

  it("allow every level of a chain that has made at most one a second since the record", () => {
    const mark = fc.record({ key: fc.constantFrom(KEY, BLOCK_KEY), level: fc.nat({ max: 100_000 }) });
    const file = fc.record({ marks: fc.array(mark, { minLength: 1 }), seconds: fc.nat({ max: 29 * 86_400 }) });
    fc.assert(
      fc.property(file, ({ marks, seconds }) => {
        const written = record(
          marks.map(({ key, level }) => [key, level]),
          { modifiedAt: NOW - seconds * 1_000 },
        );
        const head = Math.max(...marks.map(({ level }) => level)) + seconds;
        for (const { key, level } of marks) {
          expect(highestPlausible(anchor([written], NO_HEADS, key, level), 1, NOW, 1)).to.be.above(head);
        }
      }),
    );
  });
});

describe("the laxer of two anchors", () => {
  const some = fc.record({ level: fc.nat({ max: 100_000 }), at: fc.integer({ min: NOW - DAY, max: NOW + DAY }) });

  const reach = (anchor: Anchor) => highestPlausible(anchor, 0, NOW, 1);

  it("allows now what either allows", () => {
    fc.assert(
      fc.property(some, some, (one, other) => {
        const allowed = reach(laxer(one, other, NOW, 1));
        expect(allowed).to.equal(Math.max(reach(one), reach(other)));
      }),
    );
  });
});
