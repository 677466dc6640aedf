import { expect } from "chai";
import fc from "fast-check";
import { LastHour } from "../../../signer/observability/last-hour.ts";

describe("the last hour", () => {
  let now = 0;
  const hour = () => {
    now = 90 * 60_000;
    return new LastHour(() => now);
  };

  it("counts outcomes by minute, the oldest first, and forgets them after an hour", () => {
    const last = hour();
    last.decided("signed", 20);
    last.decided("refused", 1);
    now += 60_000;
    last.decided("failed", 1);
    expect(last.look().minutes.slice(-2)).to.deep.equal([
      { signed: 1, refused: 1, failed: 0, p50: last.look().hour.p50, p99: last.look().hour.p99 },
      { signed: 0, refused: 0, failed: 1, p50: null, p99: null },
    ]);
    now += 58 * 60_000;
    expect(last.look().minutes[0]).to.include({ signed: 1 });
    expect(last.look().hour).to.include({ signed: 1, refused: 1, failed: 1 });
    expect(last.look().now).to.include({ signed: 0, failed: 0, p50: null });
    now += 60_000;
    expect(last.look().hour).to.include({ signed: 0, refused: 0, failed: 1 });
    now += 600 * 60_000;
    expect(last.look().hour).to.include({ signed: 0, failed: 0 });
    last.decided("signed", 5);
    expect(last.look().hour).to.include({ signed: 1, failed: 0 });
  });

  it("knows median and 99th percentile to a fifth, from half a millisecond to a minute", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.6, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
        (all) => {
          const last = hour();
          for (const each of all) last.decided("signed", each);
          const sorted = all.toSorted((one, other) => one - other);
          for (const [name, share] of [
            ["p50", 0.5],
            ["p99", 0.99],
          ] as const) {
            const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
            expect(last.look().now[name]).to.be.within(exact * 0.999_999, exact * 1.200_001);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("takes what is shorter or longer for the shortest or the longest", () => {
    const last = hour();
    last.decided("signed", 0);
    expect(last.look().now.p50).to.equal(0.5);
    last.decided("signed", Number.MAX_VALUE);
    expect(last.look().now.p99).to.be.within(60_000, 80_000);
  });
});
