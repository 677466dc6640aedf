/**
 * A package of the registry at one version with the hash of its bytes. Name and version end on npm's command line and in
 * paths, so both are held to the registry's own forms here.
 * @module
 */

/** An archive that a release holds, named by what it must be and not by where it is found. */
export interface Pin {
  readonly name: string;
  readonly version: string;
  /** `sha512-` and base64, as in package-lock.json. */
  readonly integrity: string;
}

/** A package's name: letters, digits and `. _ ~ -`, not at the front but for `~`, with a scope or without. */
export const PACKAGE_NAME = /(?:@[\w~][\w.~-]*\/)?[A-Za-z0-9~][\w.~-]*/;

/** One version of semver.org, no range. */
export const EXACT_VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

const SHA512 = /(?:^|\s)(sha512-[A-Za-z0-9+/]{86}==)(?:\s|$)/;

/**
 * Reads the strongest hash of an integrity field, which may hold several.
 * @returns `sha512-…`, or undefined where there is none of 64 bytes
 */
export function sha512Integrity(integrity: unknown): string | undefined {
  return typeof integrity === "string" ? SHA512.exec(integrity)?.[1] : undefined;
}

/** Returns the SHA-512 of the archive's bytes, hex. */
export function sha512Hex({ integrity }: Pin): string {
  return Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
}

/** Returns the archive's file name as `npm pack` writes it: `@azure/identity` 4.14.1 is azure-identity-4.14.1.tgz. */
export function archiveName({ name, version }: Pin): string {
  return `${name.replace(/^@/, "").replace("/", "-")}-${version}.tgz`;
}
