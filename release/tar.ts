import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { type Pack, pack } from "tar-stream";
import { byPath } from "./manifest.ts";

export interface TarEntry {
  readonly path: string;
  readonly mode: number;
  /** Asked for when its turn comes: two archives have 52 MB each. */
  readonly read: () => Promise<Buffer> | Buffer;
}

/**
 * Writes an uncompressed POSIX tar that depends on its entries alone: sorted by path, owned by 0, without names of users,
 * at the time 0. Folders have no entry of their own; every tar makes them.
 * @param file must not be there yet
 * @returns the SHA-256 of the file, hex
 */
export async function writeTar(file: string, entries: readonly TarEntry[]): Promise<string> {
  const tar = pack();
  const [hash] = await Promise.all([drain(tar, file), fill(tar, entries)]);
  return hash;
}

async function fill(tar: Pack, entries: readonly TarEntry[]): Promise<void> {
  try {
    for (const { path, mode, read } of entries.toSorted(byPath)) {
      const bytes = await read();
      const header = { name: path, mode, size: bytes.length, mtime: new Date(0), uid: 0, gid: 0 };
      await new Promise<void>((done, fail) => {
        tar.entry(header, bytes, (error) => (error ? fail(error) : done()));
      });
    }
    tar.finalize();
  } catch (error) {
    tar.destroy();
    throw error;
  }
}

async function drain(tar: Pack, file: string): Promise<string> {
  const hash = createHash("sha256");
  await using handle = await open(file, "wx");
  for await (const chunk of tar as AsyncIterable<Buffer>) {
    hash.update(chunk);
    await handle.writeFile(chunk);
  }
  return hash.digest("hex");
}
