import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import { type OwnRelease, shortHash } from "../installation/own-release.ts";

/** Anew, and each write on the disk before it returns: Node.js disables fsync under its permission model, which the unit has. */
const DURABLE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_SYNC;

/**
 * Keeps the last settings that were good for a release, in the service's state folder: a machine that restarts while its userData
 * is broken, is for another release, or cannot be had, goes on signing by these. No secret is in settings.
 */
export class SettingsCache {
  readonly #path: string;

  /**
   * @param folder systemd's StateDirectory=
   * @param release whose settings they are: another one may not be able to read them
   */
  constructor(folder: string, { sha256 }: OwnRelease) {
    this.#path = join(folder, sha256 === undefined ? "settings.yaml" : `settings-${shortHash(sha256)}.yaml`);
  }

  /** Returns the text kept, or undefined where none is. */
  read(): string | undefined {
    try {
      return readFileSync(this.#path, "utf8");
    } catch {
      return undefined;
    }
  }

  /**
   * Replaces the text whole, by a rename, and once it is on the disk: a power cut leaves this text or the one before. An
   * error is logged and ignored: a full disk stops nothing.
   */
  keep(text: string, log: Logger): void {
    const draft = `${this.#path}.new`;
    try {
      writeDurably(draft, text);
      renameSync(draft, this.#path);
    } catch (error) {
      log.warn(`the settings in use could not be kept: ${messageOf(error)}`);
    }
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, DURABLE, 0o600);
  try {
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}
