import { expect } from "chai";
import fc from "fast-check";
import { Patience } from "../../../../signer/keys/azure-key-vault/patience.ts";

describe("patience with a vault", () => {
  it("is 400 ms until the vault's usual time is known", () => {
    const patience = new Patience();
    for (let answers = 0; answers < 19; answers += 1) patience.answered(20);
    expect(patience.limit).to.equal(400);
    patience.answered(20);
    expect(patience.limit).to.equal(100);
  });

  it("is twice what nine of ten answers take, and never above 400 ms", () => {
    const patience = new Patience();
    for (let answers = 0; answers < 100; answers += 1) patience.answered(answers < 89 ? 50 : 90);
    expect(patience.limit).to.equal(180);
    for (let answers = 0; answers < 100; answers += 1) patience.answered(900);
    expect(patience.limit).to.equal(400);
  });

  it("goes by the last hundred answers, whatever came before", () => {
    const patience = new Patience();
    for (let answers = 0; answers < 1_000; answers += 1) patience.answered(900);
    for (let answers = 0; answers < 100; answers += 1) patience.answered(20);
    expect(patience.limit).to.equal(100);
  });

  it("lets five questions and one of fifty be asked twice at most, whatever happens in between", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 600 }), (events) => {
        const patience = new Patience();
        let [asked, twice] = [0, 0];
        for (const isAnswered of events) {
          asked += 1;
          if (patience.take()) twice += 1;
          if (isAnswered) patience.answered(20);
        }
        expect(twice).to.be.at.most(5 + asked * 0.02);
      }),
    );
  });

  it("saves up five second questions and no more", () => {
    const patience = new Patience();
    for (let answers = 0; answers < 10_000; answers += 1) patience.answered(20);
    const taken = Array.from({ length: 10 }, () => patience.take());
    expect(taken.filter(Boolean)).to.have.length(5);
  });

  it("asks nothing twice for ten seconds after the vault throttled", () => {
    let now = 0;
    const patience = new Patience(() => now);
    patience.throttled();
    now = 9_999;
    expect(patience.take()).to.equal(false);
    now = 10_000;
    expect(patience.take()).to.equal(true);
  });
});
