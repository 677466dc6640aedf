import { expect } from "chai";
import { atOnce } from "../../signer/at-once.ts";

describe("work on many things", () => {
  it("is done on so many at once at most, each begun as soon as another ends, and its results keep the order", async () => {
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const begun: number[] = [];
    const all = atOnce(2, [0, 1, 2, 3, 4], async (item) => {
      begun.push(item);
      await gates[item]?.promise;
      return `${item}`;
    });
    expect(begun).to.deep.equal([0, 1]);
    gates[1]?.resolve();
    await new Promise(setImmediate);
    expect(begun).to.deep.equal([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    expect(await all).to.deep.equal(["0", "1", "2", "3", "4"]);
  });

  it("begins nothing more once one has failed, and fails with it", async () => {
    const begun: number[] = [];
    const all = atOnce(1, [0, 1, 2], async (item) => {
      begun.push(item);
      if (item === 1) throw new Error("one");
    });
    const reason = await all.catch((error: Error) => error.message);
    expect(reason).to.equal("one");
    expect(begun).to.deep.equal([0, 1]);
  });

  it("is none for nothing", async () => {
    expect(await atOnce(4, [], async () => 1)).to.deep.equal([]);
  });
});
