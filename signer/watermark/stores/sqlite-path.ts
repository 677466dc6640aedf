import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { reasonOf } from "../../errors.ts";
import { APPLICATION_ID } from "./sqlite-connection.ts";
import { StoreError } from "./store.ts";

/** How a SQLite database begins, and where it says whose it is (https://sqlite.org/fileformat2.html). */
const MAGIC = "SQLite format 3\0";
const APPLICATION_ID_AT = 68;

const CURE =
  "Mend the path, or name another by `watermarks.path`; a store that is lost is another matter (docs/recover.md).";

/**
 * Checks, before anything is opened there, that a path can be a SQLite store's: waiting would not mend one that cannot. What
 * a store holds is not judged here, nor a disk that is full.
 * @param path a file, or where one is to be made
 * @throws StoreError `untrusted` for a folder, a file of something else, a folder that is missing, and rights that are
 */
export function requireUsablePath(path: string): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) {
      requireFolder(path);
      return;
    }
    if (!found.isFile()) {
      const cure = `Name the file in it, such as ${join(path, "watermarks.sqlite")}, by \`watermarks.path\`.`;
      throw unusable(path, found.isDirectory() ? "is a folder, and no file" : "is no file", cure);
    }
    accessSync(path, constants.R_OK | constants.W_OK);
    // SQLite makes files beside the database.
    accessSync(dirname(realpathSync(path)), constants.W_OK | constants.X_OK);
    requireOwnHeader(path);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw unusable(path, `cannot be the watermark store: ${reasonOf(error)}`, CURE, error);
  }
}

/** What is there already decides about a link that leads nowhere, and about a store that is gone. */
function requireFolder(path: string): void {
  const folder = dirname(path);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) {
    const cure = "Is its disk mounted, and the path right? Else make the folder.";
    throw unusable(path, `cannot be made: there is no folder ${folder}`, cure);
  }
  if (!found.isDirectory()) throw unusable(path, `cannot be made: ${folder} is no folder`);
  accessSync(folder, constants.W_OK | constants.X_OK);
}

function requireOwnHeader(path: string): void {
  const head = Buffer.alloc(APPLICATION_ID_AT + 4);
  const file = openSync(path, "r");
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (!head.toString("latin1").startsWith(MAGIC)) throw unusable(path, "is no SQLite database");
  if (head.readUInt32BE(APPLICATION_ID_AT) !== APPLICATION_ID) {
    throw unusable(path, "is another program's SQLite database, and no watermark store");
  }
}

function unusable(path: string, what: string, cure = CURE, cause?: unknown): StoreError {
  return new StoreError("untrusted", `${path} ${what}. ${cure}`, { cause });
}
