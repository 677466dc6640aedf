import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";
import { callsIn, type Words } from "../harness/shell-words.ts";

/**
 * Every command that the pages show and that the product prints: what a reader will type.
 * @module
 */

const root = resolve(import.meta.dirname, "../..");

/** What the changelog says of older versions is not typed any more. */
const PAGES = ["*.md", "docs/**/*.md", "test/**/*.md"];
const PRINTED = ["{signer,infra,release,machine,cloud-init,demo,bench}/**/*.{ts,js}", "test/run.ts"];
const READ = ["Pulumi*.yaml", "examples/**/*.yaml"];

/** Programs whose calls are looked at. */
export const TOOLS = ["pulumi", "az", "npm", "npx", "node", "tezos-signer", "octez-client", "systemctl", "journalctl"];

export interface NamedCommand {
  readonly file: string;
  readonly words: Words;
  /** A sentence goes on behind it: words that no command takes are the sentence's. */
  readonly inSentence: boolean;
  /** Stands in a block that says of itself that it is shell, so that each line is a call. */
  readonly inShell: boolean;
}

export function namedCommands(): NamedCommand[] {
  const pages = globSync(PAGES, { cwd: root }).filter((file) => !/^CHANGELOG|node_modules/.test(file));
  return [
    ...pages.sort().flatMap((file) => inPage(file, read(file))),
    ...globSync(PRINTED, { cwd: root })
      .sort()
      .flatMap((file) => stringsOf(file).flatMap((text) => inText(file, text))),
    ...globSync(READ, { cwd: root })
      .sort()
      .flatMap((file) => inText(file, read(file).replaceAll(/^\s*# ?/gm, ""))),
  ];
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** Blocks of code, line by line, and what stands in backquotes. */
export function inPage(file: string, text: string): NamedCommand[] {
  const fence = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm;
  const blocks = [...text.matchAll(fence)].flatMap(([, language = "", code = ""]) =>
    linesOf(code).flatMap((line) => calls(file, line, false, /^(?:sh|bash)$/.test(language))),
  );
  const quoted = [...text.replaceAll(fence, "").matchAll(/`([^`\n]+)`/g)].flatMap(([, code = ""]) =>
    calls(file, code.replaceAll("\\|", "|")),
  );
  return [...blocks, ...quoted];
}

/** Commands in a text that is printed: in backquotes, or with the rest of their line. */
export function inText(file: string, text: string): NamedCommand[] {
  const quoted = [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = ""]) => calls(file, code));
  const start = new RegExp(`(?:^|[\\s("'])((?:${TOOLS.join("|")}) [a-z-].*)$`);
  const plain = linesOf(text.replaceAll(/`[^`\n]+`/g, "")).flatMap((line) => {
    const found = start.exec(line)?.[1];
    return found === undefined ? [] : calls(file, found.replace(/[.,;:)]+(?=\s|$).*$/s, ""), true);
  });
  return [...quoted, ...plain];
}

/** Lines that a reader types as one are one; what goes into a file on the way is left out. */
function linesOf(text: string): string[] {
  return text
    .replaceAll(/(<<'?(\w+)'?)[\s\S]*?\n\2$/gm, "$1")
    .replaceAll(/ \\\n\s*/g, " ")
    .split("\n")
    .filter((line) => !/^\s*\S+ {2,}/.test(line)); // a list of files with what each is
}

function calls(file: string, line: string, inSentence = false, inShell = false): NamedCommand[] {
  return callsIn(line.trim()).map(([program = "", ...rest]) => ({
    file,
    words: [program.replace(/^\.\/(?=tezos-signer$)/, ""), ...rest],
    inSentence,
    inShell,
  }));
}

/** The texts of a program, each with `…` where something is put in; a command that is named where it runs is one too. */
function stringsOf(file: string): string[] {
  const texts: string[] = [];
  visitTexts(file, (text, by) => texts.push(/^own(?:ers)?Command$/.test(by) ? `\`tezos-signer ${text}\`` : text));
  return texts;
}

/**
 * Calls `see` with each text of a program.
 * @param see also gets the name of the function that the text is given to, where it is one
 */
export function visitTexts(file: string, see: (text: string, by: string) => void): void {
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    const { parent } = node;
    const by = parent && ts.isCallExpression(parent) && parent.expression !== node ? parent.expression.getText() : "";
    if (ts.isStringLiteralLike(node)) see(node.text, by);
    else if (ts.isTemplateExpression(node)) {
      see(node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join(""), by);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true));
}
