import { expect } from "chai";
import fc from "fast-check";
import { BASE, byRig, CASES, timeOf } from "../../bench/cases.ts";
import { added, distribution, median, quantile, quantileOrNone, spread } from "../../bench/statistics.ts";

const HUNDRED = Array.from({ length: 100 }, (_, index) => index + 1);

describe("the bench's arithmetic", () => {
  it("takes a quantile by nearest rank, in any order of the values", () => {
    const shuffled = HUNDRED.toSorted((a, b) => ((a * 37) % 101) - ((b * 37) % 101));
    expect([0, 0.5, 0.99, 0.999, 1].map((share) => quantile(shuffled, share))).to.deep.equal([1, 50, 99, 100, 100]);
    expect(quantile([], 0.5)).to.be.NaN;
  });

  it("has a share of the values at or below each quantile, and no more than that below it", () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0.001, max: 1, noNaN: true }), (all, share) => {
        const value = quantile(all, share);
        const below = all.filter((each) => each < value).length;
        const upTo = all.filter((each) => each <= value).length;
        return below / all.length < share && upTo / all.length >= share - 1e-9;
      }),
    );
  });

  it("takes the middle of the values, or of the two in the middle", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])]).to.deep.equal([2, 2.5, 7]);
  });

  it("gives no quantile of too few values", () => {
    expect(quantileOrNone(HUNDRED.slice(1), 0.99)).to.equal(undefined);
    expect(quantileOrNone(HUNDRED, 0.99)).to.equal(99);
    expect(quantileOrNone(HUNDRED, 0.999)).to.equal(undefined);
    expect(quantileOrNone([1, 2], 0.5)).to.equal(undefined);
  });

  it("takes what is added within each repetition, so that a slow repetition is in neither", () => {
    const repetitions = [
      { alone: [20, 20, 20], own: [23, 23, 23] },
      { alone: [50, 50, 50], own: [54, 54, 54] },
      { alone: [20, 20, 20], own: [22, 22, 22] },
    ];
    expect(added(repetitions, 0.5)).to.deep.equal({ median: 3, least: 2, most: 4 });
    expect(spread([5, 1, 3])).to.deep.equal({ median: 3, least: 1, most: 5 });
  });

  it("describes a distribution by values that never go down", () => {
    const points = distribution(HUNDRED, 10);
    expect(points.map(({ milliseconds }) => milliseconds)).to.deep.equal([5, 15, 25, 35, 45, 55, 65, 75, 85, 95]);
  });
});

describe("the bench's cases", () => {
  it("have a name each, and the base case among them", () => {
    expect(new Set(CASES.map(({ name }) => name)).size).to.equal(CASES.length);
    expect(CASES).to.include(BASE);
  });

  it("share the time of a run, and want each rig once", () => {
    const all = CASES.reduce((sum, each) => sum + timeOf(each, CASES, 5, 60_000), 0);
    expect(all).to.be.closeTo(60_000 / 5, 1e-6);
    expect([...byRig(CASES).values()].flat()).to.have.members(CASES);
    expect(byRig(CASES).size).to.be.lessThan(8);
  });

  it("begin with a baker's pauses on each rig, before anything has kept the signer busy", () => {
    for (const [, own] of byRig(CASES)) {
      const pauses = own.map(({ pause }) => pause);
      expect(pauses).to.deep.equal(pauses.toSorted((a, b) => b - a));
    }
  });
});
