import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { expect } from "chai";

const page = resolve(import.meta.dirname, "../../docs/glossary.md");

/** The rows of the page's one table. */
const rows = readFileSync(page, "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(2)
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, term = "", meaning = "", where = ""]) => ({ term, meaning, where }));

describe("docs/glossary.md", () => {
  it("has its terms in alphabetical order, each once", () => {
    const terms = rows.map(({ term }) => term.toLowerCase());
    expect(terms).to.deep.equal([...new Set(terms)].sort(new Intl.Collator("en").compare));
    expect(terms.length).to.be.greaterThan(40);
  });

  it("says each term in one sentence, without a full stop", () => {
    for (const { term, meaning } of rows) expect(meaning, term).to.match(/^[A-Z][^|]{15,170}[^.]$/);
  });

  it("names for each term a file that is there", () => {
    for (const { term, where } of rows) {
      const [, name = "", target = ""] = /^\[(.+)\]\((.+)\)$/.exec(where) ?? [];
      expect(existsSync(resolve(dirname(page), target)), `${term}: ${where}`).to.equal(true);
      expect(target.replace(/^\.\.\//, ""), term).to.equal(name);
    }
  });
});
