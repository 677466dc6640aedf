import { globSync } from "node:fs";
import { expect } from "chai";
import { ROOT, textOf } from "./pages.ts";

const PAGE = "docs/extending.md";
/** Backends that came to a program which was there, so that all that knows them is what another one has to touch. */
const ADDED = ["pkcs11", "tezio"] as const;

describe("the page on another backend of keys", () => {
  it("names every file of the program that knows a backend by its kind, or that file's folder", () => {
    const page = textOf(PAGE);
    const files = globSync("{signer,machine}/**/*.ts", { cwd: ROOT }).sort();
    const knowing = ADDED.flatMap((kind) =>
      files.filter((file) => !file.startsWith(`signer/keys/${kind}/`) && textOf(file).includes(`"${kind}"`)),
    );
    expect(knowing.length).to.be.greaterThan(10);
    const isNamed = (file: string) =>
      [file, file.slice(0, file.lastIndexOf("/") + 1)].some((path) => page.includes(`\`${path}\``));
    expect([...new Set(knowing)].filter((file) => !isNamed(file))).to.deep.equal([]);
  });
});
