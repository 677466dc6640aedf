import { expect } from "chai";
import { otherThanAnnounced } from "../../../infra/release/announced-release.ts";

describe("the release that npm run up announced", () => {
  const made = "ab".repeat(32);

  it("is the one that the program takes, and without one it takes what it made", () => {
    expect(otherThanAnnounced(made, made)).to.equal(undefined);
    expect(otherThanAnnounced(made, undefined)).to.equal(undefined);
  });

  it("is compared by its whole hash, and another is refused in a sentence that says why and what to do", () => {
    expect(otherThanAnnounced(made, "cd".repeat(32))).to.equal(
      "the release is abababababab now and not cdcdcdcdcdcd, which was announced: " +
        "a file of it was changed meanwhile, so nothing was done; run `npm run up` again",
    );
    expect(otherThanAnnounced(made, `${made.slice(0, 63)}0`)).to.be.a("string");
  });
});
