import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";
import { anchorsOf, linksOf, PAGES, proseOf, ROOT, textOf } from "./pages.ts";

describe("the links of the pages", () => {
  const links = PAGES.flatMap(linksOf);

  it("lead to files that are there", () => {
    expect(links.length).to.be.greaterThan(200);
    const broken = links.filter(({ path }) => !existsSync(join(ROOT, path)));
    expect(broken.map(({ from, path }) => `${from}: ${path}`)).to.deep.equal([]);
  });

  it("lead to nothing that only this computer has", function () {
    requires(this, hasProgram("git"), "git says what it leaves out");
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
    const files = listed.toString().split("\0");
    const shared = new Set(
      files.flatMap((file) => file.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"))),
    );
    const foreign = links.filter(({ path }) => !shared.has(path));
    expect(foreign.map(({ from, path }) => `${from}: ${path}`)).to.deep.equal([]);
  });

  it("are all of the form that is read here", () => {
    const other = PAGES.filter((page) => /\]\(<|\]\([^)\n]*\s|^ {0,3}\[[^\]]+\]: |\]\[/m.test(proseOf(page)));
    expect(other).to.deep.equal([]);
  });

  it("lead to headings that are there", () => {
    const anchors = new Map(PAGES.map((page) => [page, anchorsOf(textOf(page))]));
    const broken = links.filter(({ path, anchor }) => anchor !== undefined && !anchors.get(path)?.has(anchor));
    expect(broken.map(({ from, path, anchor }) => `${from}: ${path}#${anchor}`)).to.deep.equal([]);
  });

  it("lead from the README to every page, by way of docs/README.md", () => {
    const reached = new Set(["README.md"]);
    for (const page of reached) {
      for (const { path } of PAGES.includes(page) ? linksOf(page) : []) {
        const target = path === "docs" ? "docs/README.md" : path;
        if (page === "README.md" || page === "docs/README.md") reached.add(target);
      }
    }
    expect(PAGES.filter((page) => page.startsWith("docs/") && !reached.has(page))).to.deep.equal([]);
  });

  it("are read as GitHub makes them", () => {
    const page =
      "# `up`, cut off\n\n```sh\n# no heading\n```\n\n## What /status says, and what to do\n\n## It's a [link](x.md)\n## `up`, cut off\n";
    expect([...anchorsOf(page)]).to.deep.equal([
      "up-cut-off",
      "what-status-says-and-what-to-do",
      "its-a-link",
      "up-cut-off-1",
    ]);
  });
});
