import { expect } from "chai";
import ts from "typescript";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { machineSource } from "../../cloud-init/machine-source.ts";

/** Line, column and text of each token that is left when the TypeScript compiler has removed types. */
function tokens(text: string): string[] {
  const file = ts.createSourceFile("a.js", text, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(file);
    const start = node.getStart(file);
    if (children.length === 0 && node.end > start) found.push(text.slice(start, node.end));
    children.forEach(visit);
  };
  visit(file);
  return found;
}

const compiled = (text: string): string =>
  ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext, verbatimModuleSyntax: true },
  }).outputText;

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

  it("is, for each file of the signer, the program that the TypeScript compiler makes of it", () => {
    for (const [path, source] of readCheckout(new URL("../../", import.meta.url).pathname)) {
      if (!path.startsWith("signer/")) continue;
      expect(tokens(compiled(machineSource(path, source))), path).to.deep.equal(tokens(compiled(source)));
    }
  });
});
