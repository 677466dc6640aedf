import type { Logger } from "pino";
import type { UserData } from "../azure/user-data.ts";
import { messageOf } from "../errors.ts";
import { type ApplyResult, LiveSettings } from "../settings/live-settings.ts";
import type { SettingsCache } from "../settings/settings-cache.ts";
import { Failure } from "./failure.ts";
import {
  cachedSettings,
  openUserData,
  parseLive,
  readAddressed,
  settingsCache,
  USER_DATA,
  waitingFor,
} from "./settings-source.ts";

const RESULTS = {
  applied: "new settings are in use",
  unchanged: "the settings are the ones in use",
  restart: "new settings need a new process; ending",
} as const satisfies Record<ApplyResult, string>;

/**
 * Takes settings from the machine's userData, which `pulumi up` changes in place, and follows it. Where it cannot be used at
 * the start, or is for another release, the last settings that this one could use are taken. Settings for another release
 * are left to that one.
 * @param restart called where new settings need a new process, which systemd starts
 * @throws Failure `unusable` where there are no settings to begin with
 */
export async function followUserData(
  log: Logger,
  restart: () => void,
): Promise<Disposable & { readonly live: LiveSettings }> {
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
      cache?.keep(addressed.settings, log);
      if (outcome === "restart") restart();
    } catch (error) {
      const reason = messageOf(error);
      live.refuse(reason);
      log.error(reason);
      throw error;
    }
  };
  const { live, text } = await firstSettings(userData, cache, log);
  userData.watch(text);
  return { live, [Symbol.dispose]: () => userData.stop() };
}

/** @returns the settings to begin with, and what userData was when they were read */
async function firstSettings(userData: UserData, cache: SettingsCache | undefined, log: Logger) {
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
    cache?.keep(addressed.settings, log);
    return { live, text };
  } catch (error) {
    const reason = messageOf(error);
    const cached = cache?.read();
    if (cached === undefined) throw new Failure("unusable", reason, { cause: error });
    log.error(`${reason}; the last good settings are in use`);
    const live = parseLive(cached, USER_DATA);
    live.refuse(reason);
    return { live, text };
  }
}
