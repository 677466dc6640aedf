import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { expect } from "chai";
import ts from "typescript";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { importClosure } from "../../cloud-init/closure.ts";

const files = (entries: Record<string, string>) => new Map(Object.entries(entries));

describe("import closure", () => {
  it("follows imports, re-exports and imports at run time, from folder to folder", () => {
    const checkout = files({
      "signer/main.js": 'const { run } = await import("./run.ts");\n',
      "signer/run.ts": 'import { a } from "./tezos/a.ts";\nexport * from "./b.ts";\nimport "./c.ts";\n',
      "signer/tezos/a.ts": 'import {\n  d,\n  type D,\n} from "../d.ts";\n',
      "signer/b.ts": "",
      "signer/c.ts": "",
      "signer/d.ts": 'import koa from "koa";\n',
      "signer/other.ts": "",
    });
    expect(importClosure(checkout, "signer/main.js")).to.deep.equal([
      "signer/b.ts",
      "signer/c.ts",
      "signer/d.ts",
      "signer/main.js",
      "signer/run.ts",
      "signer/tezos/a.ts",
    ]);
  });

  it("leaves out what is imported for its types alone, and what only a comment names", () => {
    const checkout = files({
      "a.ts": 'import type { B } from "./b.ts";\n/**\n * import { c } from "./c.ts";\n * await import("./c.ts")\n */\n',
    });
    expect(importClosure(checkout, "a.ts")).to.deep.equal(["a.ts"]);
  });

  it("ends where files import each other", () => {
    const checkout = files({ "a.ts": 'import "./b.ts";\n', "b.ts": 'import "./a.ts";\n' });
    expect(importClosure(checkout, "a.ts")).to.deep.equal(["a.ts", "b.ts"]);
  });

  it("leaves out what is loaded elsewhere only, and refuses to where it would be missed", () => {
    const lazily = files({ "a.ts": 'await import("./b.ts");\n', "b.ts": "" });
    expect(importClosure(lazily, "a.ts", ["b.ts"])).to.deep.equal(["a.ts"]);
    const always = files({ "a.ts": 'import "./b.ts";\n', "b.ts": "" });
    expect(() => importClosure(always, "a.ts", ["b.ts"])).to.throw("a.ts imports b.ts, which is to be left out");
  });

  it("names the file that is missing and who imports it", () => {
    expect(() => importClosure(files({ "a.ts": 'import "./gone.ts";\n' }), "a.ts")).to.throw(
      "gone.ts, which a.ts imports, is not in the checkout",
    );
  });

  it("finds in the signer's own files what the TypeScript compiler keeps", () => {
    const root = new URL("../../", import.meta.url).pathname;
    for (const path of [...readCheckout(root).keys()].filter((name) => name.startsWith("signer/"))) {
      const source = readFileSync(root + path, "utf8");
      const kept = ts.transpileModule(source, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext, verbatimModuleSyntax: true },
      });
      const expected = ts
        .preProcessFile(kept.outputText)
        .importedFiles.map(({ fileName }) => fileName)
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => posix.join(posix.dirname(path), specifier));
      const alone = new Map([[path, source], ...expected.map((name): [string, string] => [name, ""])]);
      expect(importClosure(alone, path), path).to.have.members([...new Set([path, ...expected])]);
    }
  });
});
