import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";

describe("the page of the emulators", () => {
  it("says of each file and folder here what it imitates, and by what it is tested", () => {
    const folder = import.meta.dirname;
    const page = readFileSync(`${folder}/README.md`, "utf8");
    const rows = [...page.matchAll(/^\| `(\S+?)\/?` \| .{20,} \| .{10,} \|$/gm)].map(([, name]) => name);
    const here = readdirSync(folder).filter((name) => name !== "README.md" && !name.endsWith(".test.ts"));
    expect(rows).to.have.members(here);
  });
});
