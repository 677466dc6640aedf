import { createHash } from "node:crypto";
import { closeSync, constants, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { reasonOf } from "../errors.ts";
import { type OwnRelease, shortHash } from "../installation/own-release.ts";

/** Anew, and each write on the disk before it returns: Node.js disables fsync under its permission model, which the unit has. */
const DURABLE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_SYNC;

/**
 * Keeps the last settings that were good for a release, in the service's state folder: a machine that restarts while its userData
 * is broken, is for another release, or cannot be had, goes on signing by these. Good is what a signer has listened with and
 * was ready with; of settings that no signer could be started with it is noted why. No secret is in settings.
 */
export class SettingsCache {
  /** Where the text is kept: a settings file like any other. */
  readonly path: string;
  /** Why no signer could be started with a text, and the text's hash. */
  readonly #failurePath: string;

  /**
   * @param folder systemd's StateDirectory=
   * @param release whose settings they are: another one may not be able to read them
   */
  constructor(folder: string, { sha256 }: OwnRelease) {
    const name = sha256 === undefined ? "settings" : `settings-${shortHash(sha256)}`;
    this.path = join(folder, `${name}.yaml`);
    this.#failurePath = join(folder, `${name}.failed.json`);
  }

  /** Returns the text kept, or undefined where none is. */
  read(): string | undefined {
    try {
      return readFileSync(this.path, "utf8");
    } catch {
      return undefined;
    }
  }

  /**
   * Replaces the text whole, by a rename, and once it is on the disk: a power cut leaves this text or the one before. An
   * error is logged and ignored: a full disk stops nothing.
   */
  keep(text: string, log: Logger): void {
    this.#replace(this.path, text, log, "the settings in use could not be kept");
  }

  /** Notes that no signer could be started with a text, for the next start. @param reason in words */
  noteFailure(text: string, reason: string, log: Logger): void {
    const note = JSON.stringify({ sha256: sha256Of(text), reason });
    this.#replace(this.#failurePath, note, log, "why the settings failed could not be noted");
  }

  /**
   * Takes the note of a failure away, so that the start after the next one tries the same text once more: what was missing
   * may be there by then.
   * @returns why the last start with this text failed; undefined where it did not
   */
  takeFailure(text: string): string | undefined {
    try {
      const { sha256, reason } = JSON.parse(readFileSync(this.#failurePath, "utf8"));
      rmSync(this.#failurePath);
      return sha256 === sha256Of(text) ? String(reason) : undefined;
    } catch {
      return undefined;
    }
  }

  #replace(path: string, text: string, log: Logger, otherwise: string): void {
    const draft = `${path}.new`;
    try {
      writeDurably(draft, text);
      renameSync(draft, path);
    } catch (error) {
      log.warn(`${otherwise}: ${reasonOf(error)}`);
    }
  }
}

function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, DURABLE, 0o600);
  try {
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}
