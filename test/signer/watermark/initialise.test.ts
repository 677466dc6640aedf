import { expect } from "chai";
import { decide } from "../../../signer/watermark/decision.ts";
import { floorRow, windowClosedReason } from "../../../signer/watermark/initialise.ts";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-11-20T12:00:00Z");

describe("initialise window", () => {
  const window = { level: 9_123_456, until: NOW + HOUR };

  it("is open until its time, by the second", () => {
    expect(windowClosedReason(window, NOW)).to.equal(undefined);
    expect(windowClosedReason(window, window.until)).to.equal(undefined);
    expect(windowClosedReason(window, window.until + 1))
      .to.include("2026-11-20T13:00:00.000Z")
      .and.include("has passed");
  });

  it("is closed where it is not set", () => {
    expect(windowClosedReason(undefined, NOW)).to.include("`watermarks.initialise` is not set");
  });

  it("is closed where it would stay open for more than a day: a lost table would pass for a first run all the while", () => {
    expect(windowClosedReason({ ...window, until: NOW + 24 * HOUR }, NOW)).to.equal(undefined);
    expect(windowClosedReason({ ...window, until: NOW + 24 * HOUR + 1 }, NOW)).to.include("more than 24 hours ahead");
  });

  it("makes a row below which and at which nothing is signed, and the floor level is", () => {
    const row = floorRow(window, NOW);
    const below = { level: window.level - 1, round: 2 ** 31 - 1 };
    expect(decide(row, below, "aa").verdict).to.equal("refuse");
    expect(decide(row, { level: window.level, round: 0 }, "aa").verdict).to.equal("reserve");
    expect(row.anchor).to.deep.equal({ level: window.level, at: NOW });
  });
});
