import type { Logger } from "pino";
import type { UserData } from "../azure/user-data.ts";
import { messageOf } from "../errors.ts";
import type { RunningSigner } from "../main.ts";
import { Repetition } from "../repetition.ts";
import { type ApplyResult, LiveSettings, USER_DATA } from "../settings/live-settings.ts";
import type { SettingsCache } from "../settings/settings-cache.ts";
import { Failure } from "./failure.ts";
import { cachedSettings, openUserData, readAddressed, settingsCache, waitingFor } from "./settings-source.ts";

const RESULTS = {
  applied: "new settings are in use",
  unchanged: "the settings are the ones in use",
  restart: "new settings need a new process; ending",
} as const satisfies Record<ApplyResult, string>;

/** Between two looks whether the signer is ready with its settings, in milliseconds. */
const PAUSE = 1_000;

/** The machine's userData, followed. */
export interface FollowedUserData extends Disposable {
  readonly live: LiveSettings;
  /**
   * Keeps the settings in use as good once this signer, which listens with them, is ready; those that come after them
   * alike. What never worked is not kept, so that a later start has something to fall back to.
   */
  keepOnceReady(signer: Pick<RunningSigner, "examine">): void;
  /** Notes for the next start that no signer could be started with the settings in use: that one takes the last good ones. */
  noteFailure(error: unknown): void;
}

/**
 * Takes settings from the machine's userData, which `pulumi up` changes in place, and follows it. Where it cannot be used at
 * the start, or is for another release, the last settings that were good for this one are taken. Settings for another
 * release are left to that one.
 * @param restart called where new settings need a new process, which systemd starts
 * @throws Failure `unusable` where there are no settings to begin with
 */
export async function followUserData(log: Logger, restart: () => void): Promise<FollowedUserData> {
  const cache = settingsCache();
  const userData = openUserData((text) => take(text));
  const take = (text: string) => {
    try {
      const addressed = readAddressed(text);
      if (addressed.kind === "another") {
        live.leaveTo(addressed.release);
        log.info(waitingFor(addressed.release));
        return;
      }
      const outcome = live.apply(addressed.settings);
      log.info({ outcome }, RESULTS[outcome]);
      if (outcome === "restart") restart();
      else unproven = addressed.settings;
    } catch (error) {
      const reason = messageOf(error);
      live.refuse(reason);
      log.error(reason);
      throw error;
    }
  };
  const { live, text, own } = await firstSettings(userData, cache, log);
  /** The settings in use, until they are kept; undefined where the last good ones are. */
  let unproven = own;
  const keeping = new Repetition();
  userData.watch(text);
  return {
    live,
    keepOnceReady: (signer) =>
      keeping.start(
        "work",
        () => keep(signer),
        () => PAUSE,
      ),
    noteFailure: (error) => {
      if (unproven !== undefined) cache?.noteFailure(unproven, messageOf(error), log);
    },
    [Symbol.dispose]: () => {
      void keeping.stop();
      userData.stop();
    },
  };

  async function keep(signer: Pick<RunningSigner, "examine">): Promise<void> {
    const asked = unproven;
    if (asked === undefined || !(await signer.examine()).ready) return;
    if (asked !== unproven || keeping.signal.aborted) return;
    unproven = undefined;
    if (cache?.read() === asked) return;
    cache?.keep(asked, log);
    log.info({ version: live.version }, "these settings are good: they are kept for a start without userData");
  }
}

/** What a signer begins with. */
interface FirstSettings {
  readonly live: LiveSettings;
  /** userData as it was read; empty where it could not be. */
  readonly text: string;
  /** The text of the settings where they are userData's own; undefined where they are the last good ones. */
  readonly own?: string;
}

async function firstSettings(
  userData: UserData,
  cache: SettingsCache | undefined,
  log: Logger,
): Promise<FirstSettings> {
  let text = "";
  try {
    text = await userData.read();
    const addressed = readAddressed(text);
    if (addressed.kind === "another") {
      const live = new LiveSettings(cachedSettings(cache, addressed.release), USER_DATA);
      live.leaveTo(addressed.release);
      log.info(`${waitingFor(addressed.release)}; the last good settings of this one are in use`);
      return { live, text };
    }
    const live = new LiveSettings(addressed.settings, USER_DATA);
    return fallBack(addressed.settings, text, cache, log) ?? { live, text, own: addressed.settings };
  } catch (error) {
    const reason = messageOf(error);
    const live = lastGood(cache, log);
    if (live === undefined) throw new Failure("unusable", reason, { cause: error });
    log.error(`${reason}; the last good settings are in use`);
    live.refuse(reason);
    return { live, text };
  }
}

/** Returns the last good settings; undefined where none are kept, or where their file is damaged. */
function lastGood(cache: SettingsCache | undefined, log: Logger): LiveSettings | undefined {
  const text = cache?.read();
  try {
    return text === undefined ? undefined : new LiveSettings(text, USER_DATA);
  } catch {
    log.error(`the last good settings, in ${cache?.path}, are damaged and cannot be used`);
    return undefined;
  }
}

/**
 * Goes back to the last good settings where no signer could be started with userData's, and these differ in what only a new
 * process takes: what a running one takes was not the reason.
 * @returns undefined where userData's settings are to be used
 */
function fallBack(
  settings: string,
  text: string,
  cache: SettingsCache | undefined,
  log: Logger,
): FirstSettings | undefined {
  const failure = cache?.takeFailure(settings);
  const live = failure === undefined ? undefined : lastGood(cache, log);
  if (live?.apply(settings) !== "restart") return undefined;
  const reason =
    `No signer could be started with the settings in ${USER_DATA}: ${failure} The last good settings are in use; a ` +
    "restart tries the others once more.";
  live.refuse(reason);
  log.error(reason);
  return { live, text };
}
