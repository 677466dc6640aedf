import { globSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

const DAY = 86_400_000;

/**
 * Removes what earlier runs have left in a folder, once it is a day old: what is younger may be in use by a run in
 * another terminal.
 * @param patterns globs of names in the folder
 */
export async function removeLeftovers(folder: string, patterns: readonly string[]): Promise<void> {
  for (const name of globSync(patterns, { cwd: folder })) {
    const path = join(folder, name);
    // Another run may have removed it since it was listed.
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && found.mtimeMs < Date.now() - DAY) await rm(path, { recursive: true, force: true });
  }
}
