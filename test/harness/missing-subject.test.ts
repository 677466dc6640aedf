import { AssertionError, expect } from "chai";

describe("a text or a list that is not there", () => {
  for (const missing of [undefined, null]) {
    it(`is told of where something is looked for in ${missing}`, () => {
      expect(() => expect(missing).to.include("x")).to.throw(AssertionError, `expected ${missing} to include 'x'`);
      expect(() => expect(missing, "the message").to.contain("x")).to.throw(
        `the message: expected ${missing} to contain 'x'`,
      );
      expect(() => expect(missing).not.to.include("x")).to.throw(AssertionError);
    });
  }

  it("changes nothing where there is one", () => {
    expect("xyz").to.include("x").and.not.include("a");
    expect(["x"]).to.contain("x").and.deep.include("x");
    expect({ x: 1, y: 2 }).to.include({ x: 1 }).and.include.keys("y");
    expect(() => expect("xyz").to.include("a")).to.throw(AssertionError, "expected 'xyz' to include 'a'");
  });
});
