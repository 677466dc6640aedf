import { basename, resolve } from "node:path";
import manifest from "../../package.json" with { type: "json" };

/** What tells one release from another. */
export interface ReleaseId {
  readonly version: string;
  /** Of the release's tar, hex. */
  readonly sha256: string;
}

/** The release that a program runs from; its hash is undefined in a checkout. */
export interface OwnRelease {
  readonly version: string;
  readonly sha256: string | undefined;
}

/**
 * Returns the release that this program is. On a machine each is in a folder named by its SHA-256.
 * @param folder the one that holds package.json
 */
export function ownRelease(folder = resolve(import.meta.dirname, "../..")): OwnRelease {
  const name = basename(folder);
  return { version: manifest.version, sha256: /^[0-9a-f]{64}$/.test(name) ? name : undefined };
}

/**
 * Returns the release that settings are meant for, where that is another than `own`: they are then not judged here. A
 * checkout takes all settings for its own.
 * @param named beside the settings
 */
export function anotherThan(own: OwnRelease, named: ReleaseId | undefined): ReleaseId | undefined {
  if (own.sha256 === undefined || named === undefined || named.sha256 === own.sha256) return undefined;
  return { version: named.version, sha256: named.sha256 };
}

/** Returns the beginning of a release's hash, as people and file names have it. */
export function shortHash(sha256: string): string {
  return sha256.slice(0, 12);
}

/** Returns a release in words: `0.2.0 (0123456789ab)`. */
export function inWords({ version, sha256 }: ReleaseId): string {
  return `${version} (${shortHash(sha256)})`;
}
