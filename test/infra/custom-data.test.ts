import { expect } from "chai";
import { customData } from "../../cloud-init/custom-data.ts";
import { bootScript } from "../../infra/custom-data.ts";

describe("customData of a stack", () => {
  it("is the text in base64, the same for every stack", () => {
    expect(Buffer.from(bootScript(), "base64").toString()).to.equal(customData());
  });
});
