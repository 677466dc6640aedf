import { expect } from "chai";
import { renewal } from "../../../infra/preflight/login.ts";

describe("a login that ends while it is in use", () => {
  it("is taken anew once for all who had it, and again where that one ends or could not be had", async () => {
    const tokens = ["second", "", "third"];
    const renew = renewal("first", async () => {
      const token = tokens.shift() ?? "";
      if (token === "") throw new Error("az login");
      return { token };
    });
    expect(await Promise.all([renew("first"), renew("first")])).to.deep.equal(["second", "second"]);
    expect(await renew("first")).to.equal("second");
    expect(await renew("second").catch((error: Error) => error.message)).to.equal("az login");
    expect(await renew("second")).to.equal("third");
    expect(tokens).to.deep.equal([]);
  });
});
