import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { Pulse, unseenReason } from "../../../signer/observability/pulse.ts";

/** A pulse over a store and a backend that count how often they are looked at. */
function beating(answeredAt?: () => number | undefined) {
  const looks = { store: 0, keys: 0, told: 0 };
  const proveWritable = async () => {
    looks.store += 1;
    if (looks.store === 1) throw new Error("away");
  };
  const refresh = () => {
    looks.keys += 1;
  };
  const keyring = { ...(answeredAt && { answeredAt }), refresh };
  const looked = () => {
    looks.told += 1;
  };
  return { looks, pulse: new Pulse({ store: { proveWritable }, keyring, looked, pause: 1 }) };
}

describe("the pulse", () => {
  it("goes on looking at a store that fails", async () => {
    const { looks, pulse } = beating();
    while (looks.store < 3) await nextTurn();
    await pulse.stop();
    expect(looks.told, "told after each look, so that what is ready is known by the second").to.equal(looks.store);
  });

  it("looks at the keys where no request has asked lately, and else leaves them alone", async () => {
    for (const [answeredAt, expected] of [
      [() => 0, true],
      [() => Date.now() + 60_000, false],
    ] as const) {
      const { looks, pulse } = beating(answeredAt);
      while (looks.store < 3) await nextTurn();
      await pulse.stop();
      expect(looks.keys > 0).to.equal(expected);
    }
  });

  it("ends at once", async () => {
    const { looks, pulse } = beating();
    await pulse.stop();
    expect(looks.store).to.equal(0);
  });

  it("says of what was last seen half a minute ago that it is not seen, and of what was never asked nothing", () => {
    expect(unseenReason("The store", 1_000, 32_000)).to.equal("The store was last seen 31 s ago.");
    expect(unseenReason("The store", 1_000, 31_000)).to.equal(undefined);
    expect(unseenReason("The store", undefined, 31_000)).to.equal(undefined);
  });
});
