import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";

const root = resolve(import.meta.dirname, "../..");

/** The headings of docs/recover.md that a message of the signer sends its reader to, with the file that does. */
function named(): { readonly file: string; readonly heading: string }[] {
  return globSync("signer/**/*.ts", { cwd: root }).flatMap((file) => {
    // A sentence may go on in a second string.
    const text = readFileSync(join(root, file), "utf8").replaceAll(/["'`] \+\s*["'`]/g, "");
    const found = text.matchAll(/docs\/recover\.md(?: says under|,) \\?"([^"\\]+)\\?"/g);
    return [...found].map(([, heading = ""]) => ({ file, heading }));
  });
}

describe("what the signer says of docs/recover.md", () => {
  it("names headings that the page has", () => {
    const page = readFileSync(join(root, "docs/recover.md"), "utf8");
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(named()).to.have.length.of.at.least(5);
    for (const { file, heading } of named()) expect(headings, file).to.include(heading);
  });

  it("sends there whoever is told that a level is too far ahead", () => {
    const guard = named().filter(({ file }) => file === "signer/watermark/guard.ts");
    expect(guard.map(({ heading }) => heading)).to.deep.equal(["A level that is too far ahead"]);
  });
});
