/**
 * Which files of a checkout are released, under which paths and modes. Everything is decided from names and bytes, so
 * that folder, user, umask, file order and line ends of a checkout change nothing.
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { extname } from "node:path/posix";
import { type ProductionPackage, productionLock, productionPackage } from "./lock.ts";

export interface ReleasedFile {
  /** From the release's top folder, with forward slashes. */
  readonly path: string;
  readonly mode: number;
  readonly bytes: Buffer;
}

export interface Contents {
  readonly version: string;
  /** All but the archives, their list and the manifest; in no order. */
  readonly files: readonly ReleasedFile[];
  readonly packages: readonly ProductionPackage[];
}

/**
 * Released whole, each under its own name, with the kinds of files that each has. machine/ is what the machine has
 * beside the signer. Whatever else lies there (a log, an editor's copy) may be ignored by git and would still alter the hash.
 */
const FOLDERS = {
  signer: [".js", ".ts"],
  machine: [".conf", ".nft", ".service", ".socket", ".ts"],
};

/** Made in a checkout and ignored by git, whatever is in them. */
const FOREIGN_FOLDER = /\/(?:node_modules|coverage)\//;

/** Released at the top, by their path in the checkout. */
const FILES = { LICENSE: "LICENSE", unpack: "release/files/unpack", "tezos-signer": "release/files/tezos-signer" };

/** Neither tar nor sha256sum writes such a name in another way, in any locale. */
const NAME = /^[\w.@+/-]+$/;

/**
 * Reads the released files of a checkout.
 * @param root the checkout's folder
 * @throws Error naming the file that is missing or cannot be released, and what to do
 */
export function readContents(root: string): Contents {
  const described = productionPackage(readText(root, "package.json"));
  const lock = productionLock(readText(root, "package-lock.json"));
  const made = { "package.json": described.text, "package-lock.json": lock.text };
  return {
    version: described.version,
    packages: lock.packages,
    files: [
      ...Object.entries(made).map(([path, text]) => released(path, Buffer.from(text))),
      ...Object.entries(FILES).map(([path, file]) => released(path, read(root, file))),
      ...Object.entries(FOLDERS).flatMap(([folder, endings]) =>
        walk(root, folder).map((path) => belonging(released(path, read(root, path)), endings)),
      ),
    ],
  };
}

function released(path: string, bytes: Buffer): ReleasedFile {
  if (!NAME.test(path)) {
    throw new Error(`${path}: a released file's name has letters, digits and . _ @ + - only; rename it`);
  }
  const text = withLineFeeds(bytes);
  // What is run by its name says by what in its first line; the file system's own mode is not to be had everywhere.
  return { path, mode: text.subarray(0, 2).toString("latin1") === "#!" ? 0o755 : 0o644, bytes: text };
}

/** @throws Error where a file's kind is none that its folder has */
function belonging(file: ReleasedFile, endings: readonly string[]): ReleasedFile {
  const { path, mode } = file;
  const ending = extname(path);
  // Without an ending it is a program, or it takes its name from what it configures: sudoers.d knows no other.
  const fits = ending === "" ? mode === 0o755 || path.startsWith("machine/files/") : endings.includes(ending);
  if (fits && !FOREIGN_FOLDER.test(path)) return file;
  const [folder] = path.split("/");
  throw new Error(
    `${path} does not belong into a release, which has programs and ${endings.join(" ")} from ${folder}/: move it away`,
  );
}

/** A checkout may have CR LF by git's setting; a file with a NUL byte is no text and stays as it is. */
function withLineFeeds(bytes: Buffer): Buffer {
  if (bytes.includes(0) || !bytes.includes("\r\n")) return bytes;
  return Buffer.from(bytes.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
}

/** Leftovers of editors and file managers (.DS_Store, x.ts~) are no part of a folder. */
const LEFTOVER = /(?:^|\/)\.|~$/;

function walk(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join("/");
    if (entry.isDirectory() || LEFTOVER.test(path)) return [];
    if (!entry.isFile()) throw new Error(`${path} is no plain file, and a release holds nothing else; remove it`);
    return [path];
  });
}

function read(root: string, path: string): Buffer {
  try {
    return readFileSync(join(root, path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(`${path} is missing in ${root}: a release is made in a whole checkout`, { cause: error });
  }
}

function readText(root: string, path: string): string {
  return read(root, path).toString("utf8");
}
