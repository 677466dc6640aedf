import { readFileSync } from "node:fs";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";
import { screens, shown } from "./screens.ts";

describe("the screens in the pages", () => {
  let taken: Awaited<ReturnType<typeof screens>>;
  before(async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    this.timeout(60_000);
    taken = await screens();
  });

  it("are the product's own: the texts of docs/operate.md, taken anew by npm run docs:pictures", () => {
    const page = shown(readFileSync(new URL("../../docs/operate.md", import.meta.url), "utf8"));
    expect(page).to.deep.equal(taken.texts);
  });

  it("are the product's own: the pictures of start, confirm and status, light and dark", () => {
    expect(Object.keys(taken.pictures)).to.have.length(6);
    for (const [path, picture] of Object.entries(taken.pictures))
      expect(readFileSync(path, "utf8"), path).to.equal(picture);
  });
});
