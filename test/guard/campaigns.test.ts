import { expect } from "chai";
import { compareWithModel } from "./model.ts";
import { race } from "./races.ts";

describe("guard campaigns, a slice of each", function () {
  this.timeout(60_000);

  it("answers 100,000 requests with restarts and store faults as the ten-line model does", async () => {
    const { decisions, signed, refused } = await compareWithModel(100_000);
    expect(decisions).to.be.at.least(100_000);
    expect(Math.min(signed, refused)).to.be.greaterThan(10_000);
  });

  it("releases one of 200 conflicting requests at once to two processes behind a bad network", async () => {
    const { released, requests } = await race(2, 200);
    expect(requests).to.equal(400);
    expect(released).to.be.at.most(2);
  });
});
