/**
 * Which files of ours a program needs at run time: the relative imports, followed from one entry.
 * @module
 */
import { posix } from "node:path";

/** A static import or re-export that remains once the types are stripped; the formatter puts each at a line's start. */
const STATIC = /^(?:import|export)\s(?!type\s)(?:[^"';]*?\sfrom\s)?\s*"(\.[^"]+)"/gm;
/** An import at run time. Comments, whose lines begin with a star or slashes, are no code. */
const DYNAMIC = /^(?!\s*(?:\*|\/\/)).*?\bimport\(\s*"(\.[^"]+)"\s*\)/gm;

/**
 * The paths that `entry` needs, itself included, sorted.
 * @param files the text of each file by its path from the checkout's root, with forward slashes
 * @param entry a path in `files`
 * @throws Error if an import leads to a file that `files` lacks
 */
export function importClosure(files: ReadonlyMap<string, string>, entry: string): string[] {
  const found = new Set<string>();
  const open: { path: string; importer: string }[] = [{ path: entry, importer: "the entry" }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, importer } = next;
    if (found.has(path)) continue;
    const text = files.get(path);
    if (text === undefined) throw new Error(`${path}, which ${importer} imports, is not in the checkout`);
    found.add(path);
    for (const [, specifier] of [...text.matchAll(STATIC), ...text.matchAll(DYNAMIC)]) {
      if (specifier !== undefined) open.push({ path: posix.join(posix.dirname(path), specifier), importer: path });
    }
  }
  return [...found].sort();
}
