import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../errors.ts";
import type { ReleaseId } from "../installation/own-release.ts";
import { parseSettings } from "./parse.ts";
import { pathsFrom } from "./paths.ts";
import { LIVE_SETTINGS, type Settings } from "./schema.ts";
import { settingsVersion } from "./version.ts";

/** What messages call the settings in userData, which a stack writes. */
export const USER_DATA = "the machine's userData";

/** Result of applying settings; `unchanged`: they are the ones in use, `restart`: a new process is needed. */
export type ApplyResult = "applied" | "unchanged" | "restart";

/**
 * The settings in use. Others can be applied while the signer runs: valid ones are taken whole, between two requests, and
 * invalid ones change nothing.
 */
export class LiveSettings {
  readonly source: string;
  /** The first settings with their paths as the text has them. */
  readonly written: Settings;
  readonly #folder: string;
  #current: Settings;
  #since = new Date();
  #version: string;
  #refusal: string | undefined;
  #awaited: ReleaseId | undefined;

  /**
   * @param text YAML
   * @param source what to call it in messages
   * @param folder that relative paths begin at, where it is not the current one
   * @throws SettingsError naming every mistake
   */
  constructor(text: string, source: string, folder = "") {
    this.source = source;
    this.#folder = folder;
    this.written = parseSettings(text, source);
    this.#current = pathsFrom(folder, this.written);
    this.#version = settingsVersion(text);
  }

  get current(): Settings {
    return this.#current;
  }

  /** Tells the settings in use from others: the beginning of their text's SHA-256, hex. */
  get version(): string {
    return this.#version;
  }

  /** When the settings in use were taken. */
  get since(): Date {
    return this.#since;
  }

  /** What is wrong with the settings that were to be applied last; undefined where nothing is. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** The release that the newest settings are meant for and wait for; undefined where they are for this one. */
  get awaited(): ReleaseId | undefined {
    return this.#awaited;
  }

  /** Notes that newer settings could not be had or used. */
  refuse(reason: string): void {
    this.#refusal = reason;
    this.#awaited = undefined;
  }

  /** Notes that newer settings are meant for another release: nothing is wrong with them here. */
  leaveTo(release: ReleaseId): void {
    this.#refusal = undefined;
    this.#awaited = release;
  }

  /**
   * Applies other settings.
   * @returns `restart` where something differs that a running process cannot change: then nothing was taken
   * @throws SettingsError naming every mistake; then nothing was taken
   */
  apply(text: string): ApplyResult {
    const next = this.#parse(text);
    if (settingsVersion(text) === this.#version) return "unchanged";
    if (!isDeepStrictEqual(fixedPart(this.#current), fixedPart(next))) return "restart";
    this.#current = next;
    this.#version = settingsVersion(text);
    this.#since = new Date();
    return "applied";
  }

  #parse(text: string): Settings {
    try {
      const next = pathsFrom(this.#folder, parseSettings(text, this.source));
      this.#refusal = undefined;
      this.#awaited = undefined;
      return next;
    } catch (error) {
      this.refuse(messageOf(error));
      throw error;
    }
  }
}

/** Returns the settings that a running process cannot change: all but LIVE_SETTINGS. */
function fixedPart(settings: Settings): object {
  const copy: Record<string, unknown> = structuredClone(settings);
  for (const path of LIVE_SETTINGS) {
    const [name = "", inner] = path.split(".");
    if (inner === undefined) delete copy[name];
    else delete (copy[name] as Record<string, unknown>)[inner];
  }
  return copy;
}
