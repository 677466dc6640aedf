import { constants } from "node:fs";
import { access, lstat, open, readFile, stat, statfs, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { reasonOf } from "../errors.ts";
import { KeyError } from "./key-error.ts";

/** No key, blob or KEK comes near this size; a larger file is something else, and is not read. */
const MAX_BYTES = 65_536;

/**
 * Looks whether {@link writeNewFile} could write a file, before a person is asked for anything; writing decides again.
 * @throws KeyError `exists` or `unreadable`
 */
export async function checkNewFile(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw notWritable(path, error);
    await requireRoom(dirname(path)).catch((error) => {
      throw notWritable(path, error);
    });
    return;
  }
  throw taken(path);
}

/** @throws the system's error for a folder that takes no file, or whose disk is full */
async function requireRoom(folder: string): Promise<void> {
  await access(folder, constants.W_OK | constants.X_OK);
  const { blocks, bavail } = await statfs(folder);
  // Some network file systems tell of no blocks at all.
  if (blocks > 0 && bavail === 0) throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
}

function notWritable(path: string, error: unknown): KeyError {
  return new KeyError("unreadable", `${path} cannot be written: ${reasonOf(error)}`, { cause: error });
}

function taken(path: string): KeyError {
  return new KeyError("exists", `${path} is there already and is never written over. Choose another name.`);
}

/**
 * Writes a new file, for its owner alone (mode 0600), on the disk before this returns, and never over another.
 * A file that could not be written whole is removed again. Not by a temporary file and a link, since the drive that
 * leaves the offline computer is mostly FAT, which has no links.
 * @throws KeyError `exists` or `unreadable`
 */
export async function writeNewFile(path: string, content: string): Promise<void> {
  const file = await open(path, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") throw taken(path);
    throw notWritable(path, error);
  });
  try {
    await file.writeFile(content);
    await file.sync();
    await file.close();
    await syncDirectory(dirname(path));
  } catch (error) {
    await file.close().catch(() => {});
    const rest = await unlink(path).then(
      () => "was removed again",
      () => "is damaged: delete it",
    );
    throw new KeyError("unreadable", `${path} could not be written whole and ${rest}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Makes a new name in a directory survive a power cut. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Reads a small file whole.
 * @throws KeyError `unreadable` if it is missing, not readable, no file or larger than 64 KiB
 */
export async function readSmallFile(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new KeyError("unreadable", `${path} is too large (${size} bytes) to be a key file.`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof KeyError) throw error;
    throw new KeyError("unreadable", `${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
