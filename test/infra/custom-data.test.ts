import { expect } from "chai";
import { bootScript } from "../../infra/custom-data.ts";

describe("customData of a stack", () => {
  it("is base64 of at most 60,000 bytes", () => {
    expect(Buffer.from(bootScript(), "base64").length).to.be.below(60_000);
  });
});
