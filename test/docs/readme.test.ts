import { expect } from "chai";
import { linksOf, textOf } from "./pages.ts";

const readme = textOf("README.md");
const scripts = Object.keys((JSON.parse(textOf("package.json")) as { scripts: Record<string, string> }).scripts);

/** The rows of a page's tables, as their cells. */
const rowsOf = (page: string) =>
  page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

describe("README.md", () => {
  it("has fewer than 200 lines", () => {
    expect(readme.split("\n").length).to.be.below(200);
  });

  it("shows its pictures to light and dark pages", () => {
    const pictures = linksOf("README.md").filter(({ path }) => path.endsWith(".svg"));
    expect(pictures.map(({ path }) => path)).to.have.members([
      "docs/pictures/architecture-dark.svg",
      "docs/pictures/architecture-light.svg",
      "docs/pictures/start-dark.svg",
      "docs/pictures/start-light.svg",
    ]);
  });

  it("names for each claim of safety a script of this repository", () => {
    const [, section = ""] = /## How safe[\s\S]*?\n(\| claim[\s\S]*?)\n\n/.exec(readme) ?? [];
    const claims = rowsOf(section).slice(2);
    expect(claims.length).to.be.greaterThan(7);
    for (const [claim, trial = ""] of claims) {
      const [, script] = /`npm run (\S+?)`/.exec(trial) ?? [];
      expect(scripts, claim).to.include(script);
    }
  });

  it("says of how many claims .ci/run tries none of the scripts", () => {
    const [, section = ""] = /## How safe[\s\S]*?\n(\| claim[\s\S]*?)\n\n/.exec(readme) ?? [];
    const run = textOf(".ci/run");
    const tried = rowsOf(section)
      .slice(2)
      .map(([, trial = ""]) => run.includes(/`(npm run \S+?)`/.exec(trial)?.[1] ?? "?"));
    const untried = tried.length - tried.indexOf(false);
    expect(tried.slice(-untried)).not.to.include(true);
    const word = ["none", "one", "two", "three", "four"][untried];
    expect(readme).to.include(`\`.ci/run\` runs all of them but the last ${word}`);
  });

  it("compares in full rows, with signers whose sources docs/is-it-for-you.md names", () => {
    const [, section = ""] = /## How it compares([\s\S]*?)\n## /.exec(readme) ?? [];
    const rows = rowsOf(section);
    expect(rows.length).to.be.greaterThan(20);
    for (const row of rows) {
      expect(row, row[0]).to.have.length(6);
      expect(row.slice(1), row[0]).not.to.include("");
    }
    const names = rows.flatMap((row) => (row[1] === "this one" ? row.slice(2) : []));
    const sources = rowsOf(textOf("docs/is-it-for-you.md")).map(([name = ""]) => name);
    for (const name of names) {
      const plain = /\[(.*?)\]/.exec(name)?.[1] ?? "";
      expect(sources, name).to.include(plain === "the guide's" ? "the guide's signer" : plain);
    }
  });
});
