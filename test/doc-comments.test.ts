import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import ts from "typescript";

const root = resolve(import.meta.dirname, "..");

/** A verb in the third person; the second list has nouns in the plural with which a comment once began. */
const VERB = /^[A-Z][a-z]+s\b/;
const NOUN = /^(?:This|Keys|Columns|Requests|Questions|Outcomes|Bytes|Others|Files|Rows|Settings)\b/;

/** Exported functions of a file: name, and what their comment says before its first tag; undefined where there is none. */
function functionsOf(file: string, text: string): readonly (readonly [name: string, comment: string | undefined])[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  return source.statements.flatMap((statement) => {
    const name = nameOf(statement);
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (name === undefined || !isExported) return [];
    const comment = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc).at(-1);
    return [[name, comment && (ts.getTextOfJSDocComment(comment.comment)?.trim() ?? "")] as const];
  });
}

/** The name of the function that a statement defines. */
function nameOf(statement: ts.Statement): string | undefined {
  if (ts.isFunctionDeclaration(statement)) return statement.name?.text;
  if (!ts.isVariableStatement(statement)) return undefined;
  const [made] = statement.declarationList.declarations;
  const value = made?.initializer;
  return value && (ts.isArrowFunction(value) || ts.isFunctionExpression(value)) ? made.name.getText() : undefined;
}

/** What is wrong with the comments of a file. */
function faultsOf(file: string, text: string): readonly string[] {
  return functionsOf(file, text).flatMap(([name, comment]) => {
    if (comment === undefined) return [`${file}: ${name} has no comment`];
    return VERB.test(comment) && !NOUN.test(comment) ? [] : [`${file}: ${name} begins with "${comment.slice(0, 40)}"`];
  });
}

describe("the comment of an exported function", () => {
  it("is there, and begins with a verb in the third person", () => {
    const files = globSync("{bench,cloud-init,demo,infra,machine,release,signer}/**/*.ts", { cwd: root }).sort();
    expect(files.length).to.be.greaterThan(300);
    const faults = files.flatMap((file) => faultsOf(file, readFileSync(join(root, file), "utf8")));
    expect(faults.join("\n")).to.equal("");
  });

  it("is asked of functions by any way to make them, and of nothing that is not exported", () => {
    const text = `
      /** The first. */
      export function one() {}
      export const two = () => 2;
      /** Keys of all. */
      export const three = function () {};
      function four() {}
      /** Reads it. */
      export async function five() {}
      /** @returns nothing */
      export function six() {}
      export const SEVEN = 7;
    `;
    expect(faultsOf("x.ts", text)).to.deep.equal([
      'x.ts: one begins with "The first."',
      "x.ts: two has no comment",
      'x.ts: three begins with "Keys of all."',
      'x.ts: six begins with ""',
    ]);
  });
});
