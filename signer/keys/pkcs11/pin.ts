import { type FileHandle, open } from "node:fs/promises";
import { reasonOf } from "../../errors.ts";
import { TokenFault } from "./fault.ts";

/** Others may not read it, and none but its owner may write it; a group may read it, as it may systemd's credentials. */
const TOO_OPEN = 0o027;

/** PKCS#11 leaves it to the token; no PIN comes near. */
const MAX_BYTES = 1_024;

/** A PIN as a file holds it now. */
export interface Pin {
  readonly text: string;
  /** Changes whenever the file is written or touched. */
  readonly version: string;
}

/**
 * Reads the file that holds a token's PIN. What is wrong is told without the path, since it is where a PIN is put by mistake.
 * @param file one line of UTF-8; a line feed at its end does not count
 * @throws TokenFault `pin-file` where it cannot be read, where others may read it, or where it holds no PIN
 */
export async function readPin(file: string): Promise<Pin> {
  await using handle = await open(file, "r").catch((error: Error) => {
    throw new TokenFault("pin-file", `The file of keys.pin.file cannot be read: ${reasonOf(error)}.`, { cause: error });
  });
  return await readOpen(handle);
}

async function readOpen(handle: FileHandle): Promise<Pin> {
  const { mode, mtimeMs, ino, size } = await handle.stat();
  const refuse = (reason: string) => new TokenFault("pin-file", `The file of keys.pin.file ${reason}.`);
  const permissions = mode & 0o777;
  if ((permissions & TOO_OPEN) !== 0) {
    throw refuse(
      `may be read by everybody, or written by others than its owner (mode ${permissions.toString(8)}): chmod 600, or 640 for a group that may read it`,
    );
  }
  if (size > MAX_BYTES) throw refuse("is too large to hold a PIN");
  const text = (
    await handle.readFile("utf8").catch((error: Error) => {
      throw new TokenFault("pin-file", `The file of keys.pin.file cannot be read: ${reasonOf(error)}.`, {
        cause: error,
      });
    })
  ).replace(/\r?\n$/, "");
  if (text === "" || text.includes("\n")) throw refuse("must hold the PIN alone, on one line");
  return { text, version: `${ino} ${mtimeMs}` };
}
