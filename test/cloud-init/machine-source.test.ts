import { stripTypeScriptTypes } from "node:module";
import { expect } from "chai";
import ts from "typescript";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { machineSource } from "../../cloud-init/machine-source.ts";

/** Position and text of each token of a program, but for semicolons: a blanked type alias may leave one. */
function tokens(text: string): string[] {
  const file = ts.createSourceFile("a.js", text, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(file);
    const start = node.getStart(file);
    if (children.length === 0 && node.end > start && node.kind !== ts.SyntaxKind.SemicolonToken) {
      const { line, character } = file.getLineAndCharacterOfPosition(start);
      found.push(`${line + 1}:${character + 1} ${text.slice(start, node.end)}`);
    }
    children.forEach(visit);
  };
  visit(file);
  return found;
}

describe("source for the machine", () => {
  it("has blanks for types and comments, and every token at its line and column", () => {
    const source = [
      "/**",
      " * A key.",
      " */",
      "export const a: number = 1; // one",
      "  // more",
      "const b = /\\/\\*/ as RegExp;",
      "",
    ].join("\n");
    const blank = ["", "", "", "export const a         = 1; // one", "", "const b = /\\/\\*/          ;", ""].join(
      "\n",
    );
    expect(machineSource("a.ts", source)).to.equal(blank);
  });

  it("refuses what cannot be blanked, naming the file", () => {
    expect(() => machineSource("a.ts", "export enum A { B }\n")).to.throw(
      "a.ts uses TypeScript that cannot be blanked",
    );
  });

  it("is, for each file of the signer, what Node.js makes of it before running it", () => {
    for (const [path, source] of readCheckout(new URL("../../", import.meta.url).pathname)) {
      if (!/^signer\/.*\.ts$/.test(path)) continue;
      expect(tokens(machineSource(path, source)), path).to.deep.equal(tokens(stripTypeScriptTypes(source)));
    }
  });
});
