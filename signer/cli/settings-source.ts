import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { imdsHost } from "../azure/metadata-service.ts";
import { UserData, userDataUrl } from "../azure/user-data.ts";
import { readUserDataDocument } from "../azure/user-data-document.ts";
import { CONFIRMATION_SOCKET } from "../contract.ts";
import { messageOf, reasonOf } from "../errors.ts";
import { anotherThan, inWords, ownRelease, type ReleaseId } from "../installation/own-release.ts";
import { LiveSettings, USER_DATA } from "../settings/live-settings.ts";
import { SettingsError } from "../settings/parse.ts";
import { pathFrom } from "../settings/paths.ts";
import type { Settings } from "../settings/schema.ts";
import { SettingsCache } from "../settings/settings-cache.ts";
import { Failure } from "./failure.ts";

/** The settings that `serve` makes where it has none, below the current directory. */
export const FIRST_USE_SETTINGS = ".tezos-signer/settings.yaml";

/**
 * Reads a settings file (`--config`).
 * @throws Failure `unusable`
 */
export async function readSettingsFile(file: string): Promise<LiveSettings> {
  const live = parseLive(await readSettingsText(file), file, dirname(file));
  refuseMovedPaths(live.written, file);
  return live;
}

/** Reads the text of a settings file. @throws Failure `unusable` */
export async function readSettingsText(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((error: Error) => {
    throw new Failure("unusable", `The settings cannot be read: ${file}: ${reasonOf(error)}.`, { cause: error });
  });
}

/**
 * Before version 0.2.0 paths began at the current folder. A store that is left behind there would be made anew, and forget
 * what was signed: so what is there, and not where it is looked for now, is told.
 * @throws Failure `unusable`
 */
function refuseMovedPaths({ keys, watermarks }: Settings, file: string): void {
  for (const [name, path] of [
    ["keys.path", keys.kind === "local" ? keys.path : undefined],
    ["watermarks.path", watermarks.kind === "sqlite" ? watermarks.path : undefined],
  ] as const) {
    if (path === undefined || !existsSync(path) || existsSync(pathFrom(dirname(file), path))) continue;
    const meant = relative(resolve(dirname(file)), resolve(path));
    throw new Failure(
      "unusable",
      `${file} cannot be used:\n  ${name}: begins at the folder of the settings file, where there is no ${path}; the current folder has one: write ${meant}`,
    );
  }
}

/**
 * Returns the socket of the signer that `serve` starts here without settings, or the machine's.
 * @throws Failure `unusable`
 */
export async function socketHere(): Promise<string> {
  if (!existsSync(FIRST_USE_SETTINGS)) return CONFIRMATION_SOCKET;
  const { current } = await readSettingsFile(FIRST_USE_SETTINGS);
  return current.confirmation?.socket ?? CONFIRMATION_SOCKET;
}

/** Makes a reader of the VM's userData (`--user-data`). @param apply takes each new text, where it is watched */
export function openUserData(apply: (text: string) => void = () => undefined): UserData {
  return new UserData({ url: userDataUrl(imdsHost()), apply });
}

/** Which release userData's settings are meant for; those of another one are not judged here. */
export type AddressedSettings =
  | { readonly kind: "own"; readonly settings: string }
  | { readonly kind: "another"; readonly release: ReleaseId };

/**
 * Reads the settings in userData's text, and which release they are meant for.
 * @throws Error saying what is wrong with userData, and where
 */
export function readAddressed(text: string): AddressedSettings {
  const { release, settings } = readUserDataDocument(text);
  const another = anotherThan(ownRelease(), release);
  return another === undefined ? { kind: "own", settings } : { kind: "another", release: another };
}

/**
 * Returns the text of the settings that this release goes by: userData's, or the last good ones where userData has another
 * release's.
 * @throws Failure `unusable`
 */
export function settingsForThisRelease(text: string, cache: SettingsCache | undefined): string {
  try {
    const addressed = readAddressed(text);
    return addressed.kind === "own" ? addressed.settings : cachedSettings(cache, addressed.release);
  } catch (error) {
    throw new Failure("unusable", messageOf(error), { cause: error });
  }
}

/**
 * Returns the last settings that were good for this release, where userData has another's.
 * @throws Error in sentences, where none ever were
 */
export function cachedSettings(cache: SettingsCache | undefined, release: ReleaseId): string {
  const cached = cache?.read();
  if (cached !== undefined) return cached;
  const { version, sha256 = "" } = ownRelease();
  const own = inWords({ version, sha256 });
  throw new Error(
    `The machine's userData is for release ${inWords(release)}, and this is ${own}, which never had settings that were ` +
      "good. Start the release that userData names.",
  );
}

/** Opens the cache of this release's settings; undefined where there is no folder. @param folder systemd's StateDirectory= */
export function settingsCache(folder = process.env.STATE_DIRECTORY): SettingsCache | undefined {
  return folder === undefined ? undefined : new SettingsCache(folder, ownRelease());
}

/** Says what goes on while userData's settings are another release's. */
export function waitingFor(release: ReleaseId): string {
  return `the settings in ${USER_DATA} wait for release ${inWords(release)}`;
}

/** Parses settings. @param folder that relative paths begin at @throws Failure `unusable` naming every mistake */
export function parseLive(text: string, source: string, folder?: string): LiveSettings {
  try {
    return new LiveSettings(text, source, folder);
  } catch (error) {
    if (error instanceof SettingsError) throw new Failure("unusable", error.message, { cause: error });
    throw error;
  }
}
