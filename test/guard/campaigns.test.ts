import { expect } from "chai";
import { compareWithModel } from "./model.ts";
import { race } from "./races.ts";
import { restoredSigner } from "./restored-signer.ts";

describe("guard campaigns, a slice of each", function () {
  this.timeout(60_000);

  it("answers 10,000 requests with restarts and store faults as the ten-line model does", async () => {
    const { decisions, signed, refused } = await compareWithModel(10_000);
    expect(decisions).to.be.at.least(10_000);
    expect(Math.min(signed, refused)).to.be.greaterThan(1_000);
  });

  it("releases one of 50 conflicting requests at once to two processes behind a bad network", async () => {
    const { released, requests } = await race(2, 50);
    expect(requests).to.equal(100);
    expect(released).to.be.at.most(2);
  });

  it("signs no position twice on a SQLite file that is copied, put back, taken away and imported into, beside kills", async () => {
    const { positions, released, hardStops, kills, touches, imports } = await restoredSigner(300);
    expect(positions).to.be.at.least(300);
    expect(released).to.be.greaterThan(100);
    expect(Math.min(hardStops, kills, touches, imports)).to.be.greaterThan(0);
  });
});
