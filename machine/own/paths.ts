import { relative, resolve } from "node:path";

/** Tells whether a path is a folder or lies below it. */
export function isUnder(folder: string, path: string): boolean {
  const from = relative(folder, resolve(path));
  return from !== ".." && !from.startsWith("../");
}
