import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";

/**
 * The last settings that were good, in the service's state folder: a machine that restarts while its userData is broken,
 * or while nobody answers for it, goes on signing by these. No secret is in settings.
 */
export class LastGood {
  readonly #path: string;
  readonly #log: Logger;

  /** @param folder systemd's StateDirectory= */
  constructor(folder: string, log: Logger) {
    this.#path = join(folder, "settings.yaml");
    this.#log = log;
  }

  /** The text kept, or undefined where none is. */
  read(): string | undefined {
    try {
      return readFileSync(this.#path, "utf8");
    } catch {
      return undefined;
    }
  }

  /** Replaces the text whole. A power cut may leave the one before, which was good as well; a full disk stops nothing. */
  keep(text: string): void {
    const draft = `${this.#path}.new`;
    try {
      writeFileSync(draft, text, { mode: 0o600 });
      renameSync(draft, this.#path);
    } catch (error) {
      this.#log.warn(
        `the settings in use could not be kept: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
