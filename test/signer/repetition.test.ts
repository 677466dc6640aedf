import { expect } from "chai";
import { Repetition } from "../../signer/repetition.ts";
import { rejection } from "../harness/rejection.ts";

describe("work that is repeated", () => {
  /** What is done, in order, until it was done so often. */
  async function done(first: "work" | "pause", times: number): Promise<string[]> {
    const steps: string[] = [];
    const over = Promise.withResolvers<void>();
    const repetition = new Repetition();
    repetition.start(
      first,
      async () => {
        steps.push("work");
        if (steps.filter((step) => step === "work").length === times) over.resolve();
      },
      () => {
        steps.push("pause");
        return 0;
      },
    );
    await over.promise;
    await repetition.stop();
    return steps;
  }

  it("begins with work or with a pause, and takes turns", async () => {
    expect((await done("work", 3)).slice(0, 5)).to.deep.equal(["work", "pause", "work", "pause", "work"]);
    expect((await done("pause", 2)).slice(0, 4)).to.deep.equal(["pause", "work", "pause", "work"]);
  });

  it("is stopped in its pause at once, however long that is", async () => {
    const repetition = new Repetition();
    repetition.start(
      "pause",
      () => expect.fail("it was stopped"),
      () => 1_000_000,
    );
    await repetition.stop();
  });

  it("is stopped in the middle of work, which learns of it and is waited for", async () => {
    const repetition = new Repetition();
    const steps: string[] = [];
    const begun = Promise.withResolvers<void>();
    repetition.start(
      "work",
      async () => {
        begun.resolve();
        await new Promise((ended) => repetition.signal.addEventListener("abort", ended));
        steps.push("ended");
      },
      () => 0,
    );
    await begun.promise;
    await repetition.stop();
    expect(steps).to.deep.equal(["ended"]);
  });

  it("ends where the work throws, and says so when it is stopped", async () => {
    const repetition = new Repetition();
    let times = 0;
    repetition.start(
      "work",
      async () => {
        times += 1;
        throw new Error("broken");
      },
      () => 0,
    );
    expect((await rejection(repetition.stop(), Error)).message).to.equal("broken");
    expect(times).to.equal(1);
  });
});
