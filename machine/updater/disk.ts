import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** A release is named by the SHA-256 of its archive, hex. */
export type Sha256 = string;

/**
 * The releases on the machine's disk. Each folder is complete, for it gets its name last (machine/bin/fetch-release); the
 * link `current` says which one is in use, and changing it is one rename: the switch point.
 */
export class Disk {
  readonly folder: string;

  /** @param folder /opt/tezos-signer */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** The release in use; undefined before the first one. */
  get current(): Sha256 | undefined {
    return this.#linked("current");
  }

  /** The one that was in use before it. */
  get previous(): Sha256 | undefined {
    return this.#linked("previous");
  }

  /** Whether a release is there. */
  has(sha256: Sha256): boolean {
    return existsSync(this.place(sha256));
  }

  /** Where a release is, or would be. */
  place(sha256: Sha256): string {
    return join(this.folder, "releases", sha256);
  }

  /** Puts a release into use: durable when this returns. */
  use(sha256: Sha256): void {
    this.#link("current", sha256);
  }

  /** Keeps a release as the way back. */
  keep(sha256: Sha256): void {
    this.#link("previous", sha256);
  }

  /** Deletes all other releases, and what an earlier end has left. Each loses its name first, for that is of a whole one. */
  prune(kept: readonly Sha256[]): void {
    const releases = join(this.folder, "releases");
    const unwanted = readdirSync(releases).filter((name) => !kept.includes(name));
    const nameless = (name: string) => join(releases, name.startsWith(".") ? name : `.${name}`);
    for (const name of unwanted.filter((name) => !name.startsWith("."))) {
      rmSync(nameless(name), { recursive: true, force: true });
      renameSync(join(releases, name), nameless(name));
    }
    if (unwanted.length > 0) syncFolder(releases);
    for (const name of unwanted) rmSync(nameless(name), { recursive: true, force: true });
  }

  /** A link to a folder that somebody has deleted leads to no release: the machine begins anew, as without any. */
  #linked(name: string): Sha256 | undefined {
    const link = join(this.folder, name);
    return existsSync(link) ? basename(readlinkSync(link)) : undefined;
  }

  #link(name: string, sha256: Sha256): void {
    const link = join(this.folder, name);
    replaceLink(`releases/${sha256}`, link);
  }
}

/** Makes `link` lead to `target`, in one step and durably, whatever it led to before. */
export function replaceLink(target: string, link: string): void {
  const draft = `${link}.new`;
  rmSync(draft, { force: true });
  symlinkSync(target, draft);
  renameSync(draft, link);
  syncFolder(dirname(link));
}

/** Makes names in a folder durable. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
