import { uptime } from "node:os";
import { expect } from "chai";
import { steadyClock } from "../../../signer/watermark/steady-clock.ts";

const START = 1_700_000_000_000;

describe("the guard's clock", () => {
  let wall: number;
  let elapsed: number;
  let now: () => number;
  beforeEach(() => {
    wall = START;
    elapsed = 5_000;
    now = steadyClock(
      () => wall,
      () => elapsed,
    );
  });

  it("goes on with the computer's", () => {
    expect(now()).to.equal(START);
    wall += 7_000;
    elapsed += 7_000;
    expect(now()).to.equal(START + 7_000);
  });

  it("does not jump ahead with the computer's, for one request or for ever", () => {
    wall += 365 * 86_400_000;
    elapsed += 1_000;
    expect(now()).to.equal(START + 1_000);
    wall = START + 2_000;
    elapsed += 1_000;
    expect(now()).to.equal(START + 2_000);
  });

  it("goes back with the computer's, and does not jump ahead with its return", () => {
    wall = 0;
    expect(now()).to.equal(0);
    wall = START + 3_000;
    elapsed += 3_000;
    expect(now()).to.equal(3_000);
  });

  it("counts by the system's time since its start, which nobody sets", () => {
    const before = uptime();
    const first = steadyClock()();
    expect(first).to.be.within(Date.now() - 60_000, Date.now() + 1_000);
    expect(uptime()).to.be.at.least(before);
  });
});
