import { globSync } from "node:fs";
import { dirname } from "node:path";
import { expect } from "chai";
import { PAGES, ROOT, textOf } from "./pages.ts";

/** What the product says of its paths, and the files that it puts on a machine. */
const program = globSync("{signer,machine,infra,cloud-init,container,release}/**/*", { cwd: ROOT, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(ROOT.length + 1));
const said = program.map(textOf).join("\n");
const laid = program.flatMap((file) => /^(?:machine|cloud-init)\/files(\/.*)$/.exec(file)?.[1] ?? []);

const isKnown = (path: string) => said.includes(path) || laid.some((file) => file.startsWith(path));

/** What lies there is the reader's, or is named by the settings: its folder is known. */
const READERS = /^\/(?:etc|var\/lib)\//;
/** A hash that a reader puts in. */
const OPEN = /\/[A-Z][A-Z0-9]+(?:\/.*)?$/;

describe("a path on the machine that a page names", () => {
  it("is one that the product has", () => {
    const named = PAGES.flatMap((page) =>
      [
        ...textOf(page).matchAll(/(?<![\w.:/}$…-])\/(?:opt|etc(?!\/prometheus)|run|var|usr)\/[\w./-]*tezos[\w./-]*/g),
      ].map(([path]) => [page, path.replace(/[./]+$/, "")] as const),
    );
    expect(named.length).to.be.greaterThan(40);
    const unknown = named.filter(([, path]) => {
      const fixed = path.replace(OPEN, "");
      return !isKnown(fixed) && !(READERS.test(fixed) && isKnown(dirname(fixed)));
    });
    expect(unknown.map(([page, path]) => `${page}: ${path}`)).to.deep.equal([]);
  });
});
