import { expect } from "chai";
import { requiresToken } from "../harness/soft-token.ts";
import { tokenCampaign } from "./token.ts";

describe("a key on a token under accidents", function () {
  this.timeout(180_000);

  it("signs every position, by the key, though library, login and signer are lost (npm run test:token does 10,000)", async function () {
    requiresToken(this);
    const counts = await tokenCampaign(40);
    expect(counts).to.include({ signatures: 40, killedLibraries: 3, lostLogins: 4, killedSigners: 3, verified: 10 });
  });
});
