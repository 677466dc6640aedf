/**
 * Makes a release: one tar with everything that a machine runs, the same bytes from the same sources on every computer.
 * docs/releasing.md has its layout.
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, globSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import tarStream from "tar-stream/package" with { type: "json" };
import { archiveFile, fetchArchives } from "./archives.ts";
import { type Contents, readContents } from "./contents.ts";
import { readHardwareContents } from "./hardware.ts";
import { inspectArchive } from "./inspection.ts";
import { removeLeftovers } from "./leftovers.ts";
import { archiveList, byPath, manifest, namedArchives, sha256 } from "./manifest.ts";
import { NODE_BUILDS, NODE_VERSION, type NodeBuild } from "./node.ts";
import type { Pin } from "./pin.ts";
import { type TarEntry, writeTar } from "./tar.ts";

export interface Release {
  /** package.json's. */
  readonly version: string;
  /** Of the tar, hex. */
  readonly sha256: string;
  /** File name of the tar: tezos-signer-VERSION-HASH12.tar. */
  readonly name: string;
  /** Absolute path of the tar. */
  readonly file: string;
}

/** Where releases are written, in the checkout. */
const FOLDER = ".release";

/** What `.release/made.json` remembers of the last release made. */
interface Made {
  /** Fingerprint of everything that the tar was made of. */
  readonly inputs: string;
  readonly version: string;
  readonly sha256: string;
}

/**
 * Makes the release of a checkout, or finds it where it was made already: then sources are read and the tar is hashed,
 * and nothing else is done.
 * @param root the checkout's folder
 * @param say is told what is fetched, a line at a time
 * @throws Error naming the file or package that stands in the way, and what to do
 */
export async function makeRelease(root: string, say: (line: string) => void): Promise<Release> {
  const contents = readContents(root);
  const archives = namedArchives<Pin>([...contents.packages, ...NODE_BUILDS]);
  const inputs = fingerprint(contents, archives);
  const made = await readMade(root);
  if (made?.inputs === inputs) {
    const release = named(root, made.version, made.sha256);
    if ((await sha256OfFile(release.file)) === made.sha256) {
      await keepForToday(release.file);
      return release;
    }
  }

  const release = await pack(root, contents, NODE_BUILDS, say);
  const note: Made = { inputs, version: contents.version, sha256: release.sha256 };
  await writeWhole(root, async (temporary) => {
    await writeFile(temporary, `${JSON.stringify(note)}\n`);
    return join(root, FOLDER, "made.json");
  });
  return release;
}

/**
 * Makes the release with hardware's packages, for the processor of this computer. Its bytes depend on the compiler, so its
 * hash is published nowhere; no stack asks for it.
 * @throws Error as makeRelease does, and where nothing can be compiled
 */
export async function makeHardwareRelease(root: string, say: (line: string) => void): Promise<Release> {
  const { contents, builds, flavour } = await readHardwareContents(root, say);
  return await pack(root, contents, builds, say, flavour);
}

/** Fetches what is missing and writes the tar. @param flavour stands in its name, where it is not the usual release */
async function pack(
  root: string,
  contents: Contents,
  builds: readonly NodeBuild[],
  say: (line: string) => void,
  flavour?: string,
): Promise<Release> {
  await fetchArchives(root, builds, contents.packages, say);
  await mkdir(join(root, FOLDER), { recursive: true });
  const archives = namedArchives<Pin>([...contents.packages, ...builds]);
  let hash = "";
  const release = () => named(root, contents.version, hash, flavour);
  await writeWhole(root, async (temporary) => {
    hash = await writeTar(temporary, await entries(contents, archives));
    return release().file;
  });
  // Earlier states of the checkout, 118 MB each, and what a run left that was ended from outside.
  await removeLeftovers(join(root, FOLDER), ["tezos-signer-*.tar", "making-*"]);
  return release();
}

/** Writes a file under another name first. @param write writes it, and says where it belongs */
async function writeWhole(root: string, write: (temporary: string) => Promise<string>): Promise<void> {
  const temporary = join(root, FOLDER, `making-${randomBytes(6).toString("hex")}`);
  try {
    await rename(temporary, await write(temporary));
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Dates a tar that is about to be used, so that no other run takes it for a leftover while it is uploaded. */
async function keepForToday(file: string): Promise<void> {
  const now = new Date();
  try {
    await utimes(file, now, now);
  } catch {
    // Another user's checkout: it can be read, and what is in it is not this user's to date.
  }
}

/** Returns the size of a release's tar in bytes. */
export async function sizeOf({ file }: Release): Promise<number> {
  return (await stat(file)).size;
}

function named(root: string, version: string, hash: string, flavour?: string): Release {
  const name = ["tezos-signer", version, ...(flavour === undefined ? [] : [flavour]), `${hash.slice(0, 12)}.tar`].join(
    "-",
  );
  return { version, sha256: hash, name, file: join(root, FOLDER, name) };
}

/** All entries of the tar, the archives inspected, the manifest made of all others. */
async function entries(contents: Contents, archives: ReadonlyMap<string, Pin>): Promise<TarEntry[]> {
  const listed = contents.files.map(({ path, bytes }) => ({ path, sha256: sha256(bytes) }));
  const found: TarEntry[] = contents.files.map(({ path, mode, bytes }) => ({ path, mode, read: () => bytes }));
  const add = (path: string, text: string) => {
    listed.push({ path, sha256: sha256(text) });
    found.push({ path, mode: 0o644, read: () => Buffer.from(text) });
  };
  for (const [name, pin] of archives) {
    const bytes = await readFile(archiveFile(pin));
    await inspectArchive(name, bytes);
    listed.push({ path: `archives/${name}`, sha256: sha256(bytes) });
    found.push({ path: `archives/${name}`, mode: 0o644, read: () => readFile(archiveFile(pin)) });
  }
  add("archives/LIST", archiveList(contents.packages));
  add("MANIFEST", manifest(contents.version, NODE_VERSION, listed));
  const top = `tezos-signer-${contents.version}`;
  return found.map((entry) => ({ ...entry, path: `${top}/${entry.path}` }));
}

/** Changes with whatever may change the tar: the files, the archives' hashes, and what writes it. */
function fingerprint({ version, files, packages }: Contents, archives: ReadonlyMap<string, Pin>): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([version, tarStream.version, archiveList(packages)]));
  for (const code of globSync(join(import.meta.dirname, "*.ts")).sort()) hash.update(readFileSync(code));
  for (const [name, { integrity }] of archives) hash.update(`${name} ${integrity}\n`);
  for (const { path, mode, bytes } of files.toSorted(byPath)) hash.update(`${path} ${mode} ${sha256(bytes)}\n`);
  return hash.digest("hex");
}

async function readMade(root: string): Promise<Made | undefined> {
  try {
    return JSON.parse(await readFile(join(root, FOLDER, "made.json"), "utf8"));
  } catch {
    return undefined; // never made, or cut short: it is made anew
  }
}

async function sha256OfFile(file: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
  return hash.digest("hex");
}
