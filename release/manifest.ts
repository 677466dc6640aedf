/**
 * The two lists in a release: what each file must be, and where each package's archive is unpacked.
 * @module
 */
import { createHash } from "node:crypto";
import type { ProductionPackage } from "./lock.ts";
import { archiveName, type Pin } from "./pin.ts";

/** A released file as the manifest knows it. */
export interface ListedFile {
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
}

/**
 * Writes MANIFEST: a line of versions, then one line a file, as `sha256sum --check` reads them (it skips a line that
 * begins with #).
 * @param files all but MANIFEST itself
 */
export function manifest(version: string, nodeVersion: string, files: readonly ListedFile[]): string {
  const lines = files.toSorted(byPath).map(({ path, sha256 }) => `${sha256}  ${path}\n`);
  return `# tezos-signer ${version}, Node.js ${nodeVersion}\n${lines.join("")}`;
}

/** Writes archives/LIST: `ARCHIVE<TAB>FOLDER` for every package; Node.js's archives are not in it. */
export function archiveList(packages: readonly ProductionPackage[]): string {
  return packages
    .map((found) => `${archiveName(found)}\t${found.folder}\n`)
    .sort()
    .join("");
}

/**
 * Names the archives, each once however many folders it is for.
 * @throws Error where two different ones would have one name
 */
export function namedArchives<P extends Pin>(pins: readonly P[]): ReadonlyMap<string, P> {
  const named = new Map<string, P>();
  for (const pin of pins) {
    const other = named.get(archiveName(pin));
    if (other !== undefined && other.integrity !== pin.integrity) {
      throw new Error(
        `${other.name} and ${pin.name} are two packages, both named ${archiveName(pin)} as archives: do without one`,
      );
    }
    named.set(archiveName(pin), pin);
  }
  return named;
}

/** Compares by code units, so no locale has a say. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** Computes the SHA-256, hex. */
export function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
