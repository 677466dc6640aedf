import { readUserDataDocument } from "../azure/user-data-document.ts";
import { anotherThan, inWords, ownRelease, type ReleaseId } from "../installation/own-release.ts";
import { LiveSettings } from "../settings/live-settings.ts";
import { SettingsError } from "../settings/parse.ts";
import type { LastGood } from "../settings/settings-cache.ts";
import { Failure } from "./failure.ts";

/** What to call userData's settings in messages. */
export const USER_DATA = "the machine's userData";

/** What userData has for the release that this program is. */
export type Told =
  | { readonly kind: "own"; readonly settings: string }
  /** The settings are meant for this release, and not judged here. */
  | { readonly kind: "another"; readonly release: ReleaseId };

/**
 * Reads whose settings userData has.
 * @throws Error saying what is wrong with userData, and where
 */
export function readTold(text: string): Told {
  const { release, settings } = readUserDataDocument(text);
  const another = anotherThan(ownRelease(), release);
  return another === undefined ? { kind: "own", settings } : { kind: "another", release: another };
}

/** What goes on while userData's settings are another release's. */
export function waiting(release: ReleaseId): string {
  return `the settings in ${USER_DATA} wait for release ${inWords(release)}`;
}

/**
 * The last settings that were good for this release, where userData has another's.
 * @throws Error in sentences, where none ever were
 */
export function keptSettings(lastGood: LastGood | undefined, release: ReleaseId): string {
  const kept = lastGood?.read();
  if (kept !== undefined) return kept;
  const { version, sha256 = "" } = ownRelease();
  const own = inWords({ version, sha256 });
  throw new Error(
    `The machine's userData is for release ${inWords(release)}, and this is ${own}, which never had settings that were ` +
      "good. Start the release that userData names.",
  );
}

/** @throws Failure `unusable` naming every mistake */
export function parse(text: string, source: string): LiveSettings {
  try {
    return new LiveSettings(text, source);
  } catch (error) {
    if (error instanceof SettingsError) throw new Failure("unusable", error.message, { cause: error });
    throw error;
  }
}
