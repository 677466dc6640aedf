import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { EventLoopLag } from "../../../signer/observability/event-loop-lag.ts";

function blockFor(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

describe("the event loop's lag", () => {
  it("is at least what the loop was held up for, and is forgotten two minutes later", async () => {
    const clock = { now: 0 };
    const lag = new EventLoopLag(() => clock.now);
    await sleep(50);
    blockFor(300);
    await sleep(50);
    expect(lag.seconds(100)).to.be.within(0.2, 10);
    clock.now = 60_000;
    expect(lag.seconds(100), "a minute later").to.be.at.least(0.2);
    clock.now = 120_000;
    // Nothing has turned the loop since, so what was begun then has seen nothing yet.
    expect(lag.seconds(100), "two minutes later").to.equal(0);
    lag.stop();
  });

  it("is none before anything was measured", () => {
    const lag = new EventLoopLag();
    expect(lag.seconds(99)).to.equal(0);
    lag.stop();
  });
});
