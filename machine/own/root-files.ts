import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { reasonOf } from "../../signer/errors.ts";
import { syncFolder } from "../updater/disk.ts";

/**
 * Makes a folder of root's and those above it, where they are not there.
 * @throws Error in a sentence. Node's own way to make several says of a disk that is read-only that there is no such file.
 */
export function makeFolder(path: string, mode = 0o755): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    throw new Error(`${path} cannot be made: ${reasonOf(error)}.`, { cause: error });
  }
}

/**
 * Writes a file of root's: whole, and durable when this returns, or not at all.
 * @param mode of the file as it is written
 * @param give changes its owner and mode, before it is there under its name
 * @throws Error in a sentence
 */
export function writeWhole(path: string, text: string, mode = 0o644, give: (draft: string) => void = () => {}): void {
  const draft = `${path}.new`;
  try {
    writeFileSync(draft, text, { mode, flush: true });
    give(draft);
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(draft, { force: true });
    throw new Error(`${path} cannot be written: ${reasonOf(error)}.`, { cause: error });
  }
}
