import { lstat, open, readFile, rename, rm } from "node:fs/promises";

/** What is larger is none of ours: a hundred entries of 32 KiB in hex, and as much that was read of them. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Reads a file's lines, each with its end; none where there is no file.
 * @throws Error where it is no plain file, or too large to be one of ours
 */
export async function readLines(path: string): Promise<readonly string[]> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return [];
  if (!found.isFile()) throw new Error("it is no plain file");
  if (found.size > MOST_BYTES) throw new Error("it is too large, and left alone");
  const text = await readFile(path, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => `${line}\n`);
}

/**
 * Replaces a file by another one that its owner alone can read and write. Its name has the old content or the new one.
 * @param lines each with its end
 * @throws as node:fs does; then the old one stays, and nothing else is left
 */
export async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      for (const line of lines) await file.writeFile(line);
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}
