import { expect } from "chai";
import ts from "typescript";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { withoutComments } from "../../cloud-init/comments.ts";

/** The code of a file, token by token with its line, as the TypeScript compiler's syntax tree has it. */
function tokens(source: string): string[] {
  const file = ts.createSourceFile("a.ts", source, ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const start = node.getStart(file);
    const { line } = file.getLineAndCharacterOfPosition(start);
    if (node.getChildCount(file) === 0) found.push(`${line}: ${source.slice(start, node.end)}`);
    for (const child of node.getChildren(file))
      if (child.kind < ts.SyntaxKind.FirstJSDocNode || child.kind > ts.SyntaxKind.LastJSDocNode) visit(child);
  };
  visit(file);
  return found;
}

describe("comments for the checkout only", () => {
  it("blanks comments on lines of their own and keeps every line's number", () => {
    const source = "/**\n * A key.\n */\nexport const a = 1; // one\n  // more\n/* c */\nconst b = /\\/\\*/;\n";
    expect(withoutComments(source)).to.equal("\n\n\nexport const a = 1; // one\n\n\nconst b = /\\/\\*/;\n");
  });

  it("keeps every token of the signer where it is", () => {
    for (const [path, source] of readCheckout(new URL("../../", import.meta.url).pathname)) {
      if (path.startsWith("signer/")) expect(tokens(withoutComments(source)), path).to.deep.equal(tokens(source));
    }
  });
});
