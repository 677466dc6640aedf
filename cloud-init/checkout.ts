import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** The folders and files that customData is made of. */
const SOURCES = ["signer", "cloud-init/files", "cloud-init/cloud-config.yaml", "package.json", "package-lock.json"];

/**
 * Reads what user-data.ts works on.
 * @param root the checkout's folder
 * @returns the text of each file by its path from `root`, with forward slashes and line feeds on every system
 */
export function readCheckout(root: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const source of SOURCES) {
    for (const path of /\.\w+$/.test(source) ? [join(root, source)] : walk(join(root, source))) {
      files.set(relative(root, path).split(sep).join("/"), readFileSync(path, "utf8").replaceAll("\r\n", "\n"));
    }
  }
  return files;
}

function walk(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
