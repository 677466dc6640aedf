import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf } from "../../errors.ts";
import { KeyError } from "../../key-files/key-error.ts";
import { readSmallFile, writeNewFile } from "../../key-files/key-file.ts";
import { decryptPem, encryptPem } from "../../key-files/pem.ts";
import { PrivateKey } from "../../key-files/private-key.ts";
import type { Curve } from "../../tezos/crypto/curve.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";
import { prepareVerification } from "../../tezos/crypto/signature.ts";
import type { Keyring, SigningKey } from "../keyring.ts";

/** What a signer with local keys says in its log at start. */
export const LOCAL_KEYS_WARNING =
  "These keys lie on this computer's disk with their passphrase in a file beside them: for tests and test networks only. " +
  "Whoever can read the directory has the keys.";

const PASSPHRASE_FILE = "passphrase";

/**
 * Opens every `*.pem` of a directory with one passphrase. The keys stay in this process's memory until `close`.
 * @param options.passphrase UTF-8
 * @throws KeyError if there is no key, if a file does not open, or if two files hold the same key; the file is named
 */
export async function openLocalKeyring(options: {
  readonly path: string;
  readonly passphrase: Uint8Array;
}): Promise<Keyring> {
  const keys = new Map<string, SigningKey>();
  const opened: PrivateKey[] = [];
  const close = () => {
    for (const key of opened) key[Symbol.dispose]();
  };
  try {
    for (const location of await pemFiles(options.path)) {
      const key = await openKey(location, options.passphrase);
      opened.push(key);
      const { address } = key.publicKey;
      const twin = keys.get(address);
      if (twin !== undefined) {
        throw new KeyError("exists", `${location} and ${twin.location} hold the same key ${address}. Remove one.`);
      }
      prepareVerification(key.publicKey);
      keys.set(address, { publicKey: key.publicKey, location, sign: async (digest) => key.sign(digest) });
    }
    if (opened.length === 0) throw noKey(options.path);
  } catch (error) {
    close();
    throw error;
  }
  return { keys, close: async () => close() };
}

/**
 * Makes a key and stores it encrypted as `path`, mode 0600, flushed to the disk, never over another file.
 * @param passphrase UTF-8, not empty
 */
export async function generateLocalKey(curve: Curve, path: string, passphrase: Uint8Array): Promise<PublicKey> {
  using key = PrivateKey.generate(curve);
  await writeNewFile(path, await encryptPem(key, passphrase));
  return key.publicKey;
}

/**
 * Reads the passphrase of a directory of throw-away keys from the file `passphrase` in it. Nothing is made: a path that is
 * wrong would be a signer without its keys.
 * @throws KeyError where there is no directory, no key in it, or no passphrase beside the keys
 */
export async function readLocalPassphrase(directory: string): Promise<Buffer> {
  await stat(directory).catch((error) => {
    if (error.code !== "ENOENT") {
      throw new KeyError("unreadable", `The key directory ${directory} cannot be read: ${reasonOf(error)}.`);
    }
    const advice = "Is `keys.path` right, and its disk mounted? No key is made where settings name the directory.";
    throw new KeyError("unreadable", `There is no key directory ${directory}. ${advice}`);
  });
  const path = join(directory, PASSPHRASE_FILE);
  if (!existsSync(path)) {
    if ((await pemFiles(directory)).length === 0) throw noKey(directory);
    throw noPassphrase(path);
  }
  return readPassphrase(path);
}

/**
 * Returns the passphrase of a directory in which throw-away keys are made: read from the file `passphrase` in it, which
 * is made on first use, as is the directory; beside keys it must be there. {@link LOCAL_KEYS_WARNING} says what that is
 * worth.
 */
export async function localPassphrase(directory: string): Promise<Buffer> {
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch(async (error) => {
    // Of a disk that is read-only Node says, where it makes all folders of a path, that there is no such file.
    const fault = error.code === "ENOENT" ? await mkdir(directory).catch((reason) => reason) : error;
    throw new KeyError("unreadable", `The key directory ${directory} cannot be made: ${reasonOf(fault)}.`, {
      cause: error,
    });
  });
  const path = join(directory, PASSPHRASE_FILE);
  // A new passphrase would open none of them.
  if (!existsSync(path) && (await pemFiles(directory)).length > 0) throw noPassphrase(path);
  try {
    await writeNewFile(path, `${randomBytes(16).toString("hex")}\n`);
  } catch (error) {
    if (!(error instanceof KeyError && error.problem === "exists")) throw error;
  }
  return readPassphrase(path);
}

async function readPassphrase(path: string): Promise<Buffer> {
  const content = await readSmallFile(path);
  return content.at(-1) === 0x0a ? content.subarray(0, -1) : content;
}

function noKey(directory: string): KeyError {
  return new KeyError("unreadable", `There is no key (*.pem) in ${directory}.`);
}

function noPassphrase(path: string): KeyError {
  const why = `${path} is missing: the file with the passphrase of the keys beside it. Bring it back.`;
  return new KeyError("unreadable", why);
}

async function pemFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new KeyError("unreadable", `The key directory ${directory} cannot be read: ${reasonOf(error)}.`, {
      cause: error,
    });
  });
  return names
    .filter((name) => name.endsWith(".pem"))
    .sort()
    .map((name) => join(directory, name));
}

async function openKey(path: string, passphrase: Uint8Array): Promise<PrivateKey> {
  const text = (await readSmallFile(path)).toString("utf8");
  try {
    return decryptPem(text, passphrase);
  } catch (error) {
    if (error instanceof KeyError) throw new KeyError(error.problem, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
