import { expect } from "chai";
import { Warmth } from "../../../signer/signing/warmth.ts";
import { fakeTimers } from "../../harness/fake-timers.ts";
import { logLines } from "../../harness/log-lines.ts";

/** Counts exercises, and makes them fail where it is told. */
class Counted extends Warmth {
  done = 0;
  isFailing = false;
  override async exercise(): Promise<boolean> {
    if (this.isFailing) return false;
    this.done += 1;
    return true;
  }
}

const HALF_SECOND = 500;
const NEVER = () => Number.NEGATIVE_INFINITY;

describe("the signing path's warmth", () => {
  it("signs a vote with a throw-away key of each curve, and says nothing of it", async () => {
    const { log, lines } = logLines();
    expect(await new Warmth({ logger: log }).exercise()).to.equal(true);
    expect(lines).to.deep.equal([]);
  });

  it("is kept between requests, and ends when it is stopped", async () => {
    using timers = fakeTimers();
    const warmth = new Counted({ logger: logLines().log });
    await warmth.begin();
    expect(warmth.done).to.be.greaterThan(0);
    warmth.keep(NEVER);
    const first = warmth.done;
    for (let half = 0; half < 20; half += 1) await timers.tick(HALF_SECOND);
    expect(warmth.done - first).to.equal(20);
    warmth.stop();
    for (let half = 0; half < 20; half += 1) await timers.tick(HALF_SECOND);
    expect(warmth.done - first).to.equal(20);
  });

  it("rests while requests keep it warm", async () => {
    using timers = fakeTimers();
    const warmth = new Counted({ logger: logLines().log });
    warmth.keep(() => performance.now());
    for (let half = 0; half < 20; half += 1) await timers.tick(HALF_SECOND);
    expect(warmth.done).to.equal(0);
    warmth.stop();
  });

  it("is given up where it fails, and harms nothing", async () => {
    using timers = fakeTimers();
    const warmth = new Counted({ logger: logLines().log });
    warmth.isFailing = true;
    await warmth.begin();
    warmth.keep(NEVER);
    warmth.isFailing = false;
    for (let half = 0; half < 20; half += 1) await timers.tick(HALF_SECOND);
    expect(warmth.done).to.equal(0);
  });
});
