/**
 * Which files of ours a program needs at run time: the relative imports, followed from one entry.
 * @module
 */
import { posix } from "node:path";
import { withoutComments } from "./comments.ts";

/** A static import or re-export that remains once the types are stripped; the formatter puts each at a line's start. */
const STATIC = /^(?:import|export)\s(?!type\s)(?:[^"';]*?\sfrom\s)?\s*"(\.[^"]+)"/gm;
/** An import at run time; `typeof import(...)` is a type. */
const DYNAMIC = /(?<!\btypeof )\bimport\(\s*"(\.[^"]+)"\s*\)/g;

/**
 * The paths that `entry` needs, itself included, sorted.
 * @param files the text of each file by its path from the checkout's root, with forward slashes
 * @param entry a path in `files`
 * @param without paths that are imported at run time, and never where this program runs
 * @throws Error if an import leads to a file that `files` lacks, or a static one to a file of `without`
 */
export function importClosure(
  files: ReadonlyMap<string, string>,
  entry: string,
  without: readonly string[] = [],
): string[] {
  const found = new Set<string>();
  const open: { path: string; importer: string }[] = [{ path: entry, importer: "the entry" }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, importer } = next;
    if (found.has(path)) continue;
    const source = files.get(path);
    if (source === undefined) throw new Error(`${path}, which ${importer} imports, is not in the checkout`);
    const text = withoutComments(source);
    found.add(path);
    for (const imported of specifiers(path, text, STATIC)) {
      if (without.includes(imported)) throw new Error(`${path} imports ${imported}, which is to be left out`);
      open.push({ path: imported, importer: path });
    }
    for (const imported of specifiers(path, text, DYNAMIC)) {
      if (!without.includes(imported)) open.push({ path: imported, importer: path });
    }
  }
  return [...found].sort();
}

function specifiers(importer: string, text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, specifier = ""]) => posix.join(posix.dirname(importer), specifier));
}
