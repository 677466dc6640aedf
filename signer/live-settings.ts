import { isDeepStrictEqual } from "node:util";
import { parseSettings, type Settings } from "./settings.ts";

/** Settings that take effect at once; every other one needs a new process. */
const LIVE = ["policy", "authentication", "allowedAddresses", "listKnownKeys"] as const satisfies (keyof Settings)[];

/** What became of settings that were offered. */
export type Outcome = "applied" | "restart";

/**
 * The settings in use. Others can be offered while the signer runs: valid ones are taken whole, between two requests, and
 * invalid ones change nothing.
 */
export class LiveSettings {
  readonly source: string;
  #current: Settings;
  #since = new Date();

  /**
   * @param text YAML
   * @param source what to call it in messages
   * @throws SettingsError naming every mistake
   */
  constructor(text: string, source: string) {
    this.source = source;
    this.#current = parseSettings(text, source);
  }

  get current(): Settings {
    return this.#current;
  }

  /** When the settings in use were taken. */
  get since(): Date {
    return this.#since;
  }

  /**
   * Takes other settings.
   * @returns `restart` where something differs that a running process cannot change: then nothing was taken
   * @throws SettingsError naming every mistake; then nothing was taken
   */
  offer(text: string): Outcome {
    const next = parseSettings(text, this.source);
    if (!sameApartFrom(LIVE, this.#current, next)) return "restart";
    this.#current = next;
    this.#since = new Date();
    return "applied";
  }
}

function sameApartFrom(names: readonly (keyof Settings)[], a: Settings, b: Settings): boolean {
  const rest = (settings: Settings) => Object.entries(settings).filter(([name]) => !names.some((each) => each === name));
  return isDeepStrictEqual(Object.fromEntries(rest(a)), Object.fromEntries(rest(b)));
}
