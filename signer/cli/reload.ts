import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { readSettingsText } from "./settings-source.ts";

/**
 * Reads a settings file once more, for a signer that runs. Whatever cannot be used changes nothing, and is told in the log and in
 * /status.
 * @param live the settings in use, which it was read for
 */
export async function rereadSettings(live: LiveSettings, log: Logger): Promise<void> {
  try {
    const outcome = live.apply(await readSettingsText(live.source));
    if (outcome === "restart")
      throw new Error(`${live.source} has settings that only a new process takes: restart it.`);
    log.info({ outcome }, outcome === "applied" ? "new settings are in use" : "the settings are the ones in use");
  } catch (error) {
    const reason = messageOf(error);
    live.refuse(reason);
    log.error(reason);
  }
}
