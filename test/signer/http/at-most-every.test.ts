import { expect } from "chai";
import { atMostEvery } from "../../../signer/http/at-most-every.ts";

describe("a value that is kept for a while", () => {
  it("is made anew once its time is over, and at once after one that failed", async () => {
    let [now, made, fails] = [0, 0, false];
    const value = atMostEvery(
      100,
      async () => {
        made += 1;
        if (fails) throw new Error("no value");
        return made;
      },
      () => now,
    );
    expect(await Promise.all([value(), value()])).to.deep.equal([1, 1]);
    now = 99;
    expect(await value()).to.equal(1);
    now = 100;
    fails = true;
    for (let times = 0; times < 2; times++) expect(await value().catch(({ message }) => message)).to.equal("no value");
    fails = false;
    expect(await value()).to.equal(4);
  });

  it("is waited for by all who ask while it is made, however long that takes", async () => {
    let [now, made] = [0, 0];
    const { promise, resolve } = Promise.withResolvers<string>();
    const value = atMostEvery(
      100,
      () => {
        made += 1;
        return promise;
      },
      () => now,
    );
    const first = value();
    now = 10_000;
    const second = value();
    resolve("made");
    expect(await Promise.all([first, second, value()])).to.deep.equal(["made", "made", "made"]);
    expect(made).to.equal(1);
  });
});
