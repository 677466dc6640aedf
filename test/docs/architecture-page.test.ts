import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { expect } from "chai";

const root = resolve(import.meta.dirname, "../..");

/** Folders at the root that are not in the repository, and those of tools. */
const NOT_OURS = /^(?:\..*|node_modules|coverage|stacks)$/;

/** Paths that a page names in backquotes, in its tables and sentences. */
function pathsIn(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8").replace(/```[\s\S]*?```/g, "");
  const quoted = [...text.matchAll(/`([^`\s]+)`/g)].map((match) => match[1] ?? "");
  const paths = quoted.filter((word) =>
    /^(?:signer|infra|machine|release|cloud-init|test|docs|examples|demo|bench)\//.test(word),
  );
  const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] ?? "");
  return [...new Set([...paths, ...links])];
}

describe("the pages for whoever changes the program", () => {
  for (const page of ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "README.md"]) {
    it(`${page} names no path that is not there`, () => {
      const missing = pathsIn(page).filter((path) => !existsSync(join(root, path)));
      expect(missing).to.deep.equal([]);
    });
  }

  it("ARCHITECTURE.md draws every room of the tree and every file that has none, and no other", () => {
    const drawn = /```text\n([\s\S]*?)```/.exec(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"))?.[1] ?? "";
    let top = "";
    const missing: string[] = [];
    const shown = new Set<string>();
    for (const line of drawn.split("\n")) {
      const entry = /^( {0,2})((?:[\w.-]+\/? ?)+?)(?: {2,}|$)/.exec(line);
      if (entry === null) continue; // a description that goes on
      const [, indent = "", names = ""] = entry;
      for (const name of names.trim().split(" ").filter(Boolean)) {
        const path = indent === "" ? name : join(top, name);
        shown.add(path.replace(/\/$/, ""));
        if (!existsSync(join(root, path))) missing.push(path);
      }
      if (indent === "") top = names.trim();
    }
    expect(missing).to.deep.equal([]);
    const inside = (folder: string) =>
      readdirSync(join(root, folder), { withFileTypes: true }).map((entry) => ({
        path: join(folder, entry.name),
        isFolder: entry.isDirectory(),
      }));
    const folders = [".", "signer", "infra"].flatMap(inside).filter(({ isFolder }) => isFolder);
    const rooms = folders.map(({ path }) => path).filter((path) => !NOT_OURS.test(path));
    expect(rooms.filter((room) => !shown.has(room))).to.deep.equal([]);
    const files = ["signer", "infra"].flatMap(inside).filter(({ isFolder }) => !isFolder);
    expect(files.filter(({ path }) => !drawn.includes(` ${basename(path)}`))).to.deep.equal([]);
  });
});
