import { expect } from "chai";
import { askedTwice } from "../../../../signer/watermark/stores/asked-twice.ts";
import { rejection } from "../../../harness/rejection.ts";

const NEVER = new Promise<never>(() => undefined);

/** Answers the questions in their order, and keeps their signals. */
function answering(...answers: (() => Promise<string>)[]) {
  const signals: AbortSignal[] = [];
  const ask = (over: AbortSignal) => {
    signals.push(over);
    return answers.shift()?.() ?? NEVER;
  };
  return { ask, signals };
}

describe("a question that is asked again where its answer is late", () => {
  it("is asked once where it is answered in time", async () => {
    const { ask, signals } = answering(async () => "first");
    expect(await askedTwice(20_000, ask)).to.equal("first");
    expect(signals).to.have.length(1);
  });

  it("takes the second answer where the first does not come, and ends the first question", async () => {
    const { ask, signals } = answering(
      () => NEVER,
      async () => "second",
    );
    expect(await askedTwice(1, ask)).to.equal("second");
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([true, true]);
  });

  it("takes the first answer where it comes while the second is awaited", async () => {
    const first = Promise.withResolvers<string>();
    const { ask } = answering(
      () => first.promise,
      () => {
        first.resolve("first");
        return NEVER;
      },
    );
    expect(await askedTwice(1, ask)).to.equal("first");
  });

  it("is not asked again after a fault that came in time", async () => {
    const { ask, signals } = answering(async () => {
      throw new Error("refused");
    });
    expect((await rejection(askedTwice(1, ask), Error)).message).to.equal("refused");
    await new Promise((turn) => setTimeout(turn, 20));
    expect(signals).to.have.length(1);
  });

  it("tells the first fault where neither answer is good", async () => {
    const first = Promise.withResolvers<string>();
    const { ask } = answering(
      () => first.promise,
      async () => {
        first.reject(new Error("first"));
        throw new Error("second");
      },
    );
    expect((await rejection(askedTwice(1, ask), Error)).message).to.equal("first");
  });

  it("waits for the first answer where the second is a fault", async () => {
    const first = Promise.withResolvers<string>();
    const { ask } = answering(
      () => first.promise,
      async () => {
        setImmediate(() => first.resolve("first"));
        throw new Error("second");
      },
    );
    expect(await askedTwice(1, ask)).to.equal("first");
  });
});
