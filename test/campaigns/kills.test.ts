import { expect } from "chai";
import { killCampaign } from "./kills.ts";

describe("kill -9 under load", () => {
  it("breaks no promise that killCampaign checks after each restart: 2 kills here, 200 in `npm run test:kills`", async function () {
    this.timeout(60_000);
    const { kills, released } = await killCampaign(2);
    expect(kills).to.equal(2);
    expect(released).to.be.greaterThan(0);
  });
});
