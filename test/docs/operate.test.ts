import { readFileSync } from "node:fs";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";
import { captures, shape, shown } from "./captures.ts";

describe("docs/operate.md", () => {
  it("shows the screen as it is; taken anew by node test/docs/captures.ts", async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    const page = shown(readFileSync(new URL("../../docs/operate.md", import.meta.url), "utf8"));
    const taken = await captures();
    expect(Object.keys(page).toSorted()).to.deep.equal(Object.keys(taken).toSorted());
    for (const [name, text] of Object.entries(taken)) expect(shape(page[name] ?? ""), name).to.equal(shape(text));
  });
});
