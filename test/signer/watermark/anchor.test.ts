import { expect } from "chai";
import fc from "fast-check";
import { type Anchor, highestPlausible, raise } from "../../../signer/watermark/anchor.ts";

const START: Anchor = { level: 1_000, at: 1_700_000_000_000 };
const SECOND = 1_000;
/** The default of `watermarks.minimalBlockDelay`, in seconds. */
const BLOCK_DELAY = 1;

describe("plausible levels", () => {
  it("allows the step above the anchor and one level more a second", () => {
    expect(highestPlausible(START, 100, START.at, BLOCK_DELAY)).to.equal(1_100);
    expect(highestPlausible(START, 100, START.at + 59_999, BLOCK_DELAY)).to.equal(1_159);
  });

  it("allows nothing for a clock that went back", () => {
    expect(highestPlausible(START, 100, START.at - 3_600 * SECOND, BLOCK_DELAY)).to.equal(1_100);
  });

  it("believes a level that time explains", () => {
    expect(raise(START, 1_010, START.at + 10 * SECOND, BLOCK_DELAY)).to.deep.equal({
      level: 1_010,
      at: START.at + 10 * SECOND,
    });
  });

  it("believes of a level above that only what time explains", () => {
    expect(raise(START, 1_050, START.at + 10 * SECOND, BLOCK_DELAY)).to.deep.equal({
      level: 1_010,
      at: START.at + 10 * SECOND,
    });
  });

  it("keeps the rest of a second, so that frequent signatures raise the anchor too", () => {
    let anchor = START;
    for (let step = 1; step <= 40; step++) anchor = raise(anchor, 1_090, START.at + step * 250, BLOCK_DELAY);
    expect(anchor).to.deep.equal({ level: 1_010, at: START.at + 10 * SECOND });
  });

  it("does not leave an anchor in the future after the clock was set back", () => {
    const ahead = { level: 1_000, at: START.at + 3_600 * SECOND };
    expect(raise(ahead, 1_001, START.at, BLOCK_DELAY).at).to.equal(START.at);
  });

  it("lets no sequence of requests climb above what time explains by more than the step", () => {
    const request = fc.record({
      wait: fc.integer({ min: 0, max: 20_000 }),
      above: fc.integer({ min: -50, max: 150 }),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), fc.integer({ min: 1, max: 100 }), (requests, maxStep) => {
        let anchor = START;
        let now = START.at;
        let signed = START.level;
        for (const { wait, above } of requests) {
          now += wait;
          const level = Math.max(signed, highestPlausible(anchor, maxStep, now, BLOCK_DELAY) + above);
          if (level > highestPlausible(anchor, maxStep, now, BLOCK_DELAY)) continue;
          anchor = raise(anchor, level, now, BLOCK_DELAY);
          signed = level;
          expect(signed).to.be.at.most(START.level + Math.floor((now - START.at) / SECOND) + maxStep);
          expect(anchor.level).to.be.at.most(signed);
        }
      }),
    );
  });

  it("refuses no chain of six-second blocks, whatever its gaps", () => {
    const gap = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(fc.array(gap, { maxLength: 60 }), (gaps) => {
        let anchor = START;
        let level = START.level;
        for (const blocks of gaps) {
          level += blocks;
          const now = START.at + (level - START.level) * 6 * SECOND;
          expect(level).to.be.at.most(highestPlausible(anchor, 1, now, BLOCK_DELAY));
          anchor = raise(anchor, level, now, BLOCK_DELAY);
        }
      }),
    );
  });

  it("lets a mark climb no faster than blocks can come, where the settings know how fast that is", () => {
    const hour = START.at + 3_600 * SECOND;
    expect(highestPlausible(START, 100, hour, 6)).to.equal(1_700);
    const pushed = raise(START, 1_700, hour, 6);
    expect(pushed).to.deep.equal({ level: 1_600, at: hour });
    expect(raise(START, 1_090, START.at + 11 * SECOND, 6)).to.deep.equal({ level: 1_001, at: START.at + 6 * SECOND });
  });

  it("is whole for any clock and any level", () => {
    const anchor = fc.record({ level: fc.nat(), at: fc.nat({ max: 2 ** 45 }) });
    fc.assert(
      fc.property(anchor, fc.nat(), fc.nat({ max: 2 ** 45 }), (from, above, now) => {
        const to = raise(from, from.level + above, now, BLOCK_DELAY);
        expect(to.level).to.be.within(from.level, from.level + above);
        expect(Number.isSafeInteger(to.level) && Number.isSafeInteger(to.at)).to.equal(true);
        expect(to.at).to.be.at.most(now);
      }),
    );
  });
});
