import { constants } from "node:fs";
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
  // Of a pipe the opening alone would wait for whoever writes to it.
  await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: Error) => {
    throw new TokenFault("pin-file", `The file of keys.pin.file cannot be read: ${reasonOf(error)}.`, { cause: error });
  });
  return await readOpen(handle);
}

async function readOpen(handle: FileHandle): Promise<Pin> {
  const stats = await handle.stat();
  const refuse = (reason: string, options?: ErrorOptions) =>
    new TokenFault("pin-file", `The file of keys.pin.file ${reason}.`, options);
  if (!stats.isFile()) throw refuse("is no regular file");
  const permissions = stats.mode & 0o777;
  if ((permissions & TOO_OPEN) !== 0) {
    throw refuse(
      `may be read by everybody, or written by others than its owner (mode ${permissions.toString(8)}): chmod 600, or 640 for a group that may read it`,
    );
  }
  if (stats.size > MAX_BYTES) throw refuse("is too large to hold a PIN");
  const bytes = await handle.readFile().catch((error: Error) => {
    throw refuse(`cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  const text = utf8(bytes)?.replace(/\r?\n$/, "");
  // What is no PIN is a wrong one to a token, and a few of them lock it.
  if (text === undefined || text === "" || /[\0\r\n]/.test(text)) {
    throw refuse("must hold the PIN alone, on one line in UTF-8");
  }
  return { text, version: `${stats.ino} ${stats.mtimeMs}` };
}

/** Reads UTF-8, without the mark that some editors begin it with; undefined for what is none. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
