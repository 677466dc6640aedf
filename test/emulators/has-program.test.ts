import { expect } from "chai";
import { hasProgram } from "./has-program.ts";

describe("looking for a program", () => {
  it("finds what is on PATH, and nothing else", () => {
    expect(hasProgram("sh")).to.equal(true);
    expect(hasProgram("no-such-program-of-anybody")).to.equal(false);
  });

  it("takes a name for a name, whatever the shell could read in it", () => {
    expect(hasProgram("$(echo sh)")).to.equal(false);
    expect(hasProgram("sh; true")).to.equal(false);
  });
});
