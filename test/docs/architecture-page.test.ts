import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { expect } from "chai";
import { PAGES, textOf, withoutBlocks } from "./pages.ts";

const root = resolve(import.meta.dirname, "../..");

/** Folders at the root that are not in the repository, and those of tools. */
const NOT_OURS = /^(?:\..*|node_modules|coverage|stacks)$/;

/** Paths of this repository that a page names in backquotes, in its tables and sentences. */
function pathsIn(page: string): string[] {
  const quoted = [...withoutBlocks(textOf(page)).matchAll(/`([^`\s]+)`/g)].map((match) => match[1] ?? "");
  return quoted.filter((word) =>
    /^(?:signer|infra|machine|release|cloud-init|test|docs|examples|demo|bench|monitoring|container|hardware)\//.test(
      word,
    ),
  );
}

describe("the pages for whoever changes the program", () => {
  it("name no path that is not there, nor does any other page", () => {
    // The changelog also says what was.
    const named = PAGES.filter((page) => page !== "CHANGELOG.md").flatMap((page) =>
      pathsIn(page).map((path) => ({ page, path })),
    );
    expect(named.length).to.be.greaterThan(150);
    const missing = named.filter(({ path }) => globSync(path, { cwd: root }).length === 0);
    expect(missing.map(({ page, path }) => `${page}: ${path}`)).to.deep.equal([]);
  });

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
    const described = [...drawn.matchAll(/(?<![\w/.-])(?!Node\.js)[\w-]+\.(?:ts|js|py)\b/g)].map(([name]) => name);
    expect(described.length).to.be.greaterThan(30);
    const there = new Set(
      globSync("{signer,infra,machine,test}/**/*.{ts,js,py}", { cwd: root }).map((path) => basename(path)),
    );
    const nowhere = described.filter((name) => !there.has(name));
    expect(nowhere).to.deep.equal([]);
  });
});
