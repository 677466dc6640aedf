import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { LAYOUT, UNITS, USER } from "./layout.ts";
import { foreignNames } from "./names.ts";
import { OVERRIDES } from "./overrides.ts";
import { type OwnParts, readSettings, settingsText } from "./parts.ts";
import { isUnder } from "./paths.ts";

/**
 * Removes the installation: what was started, linked and copied. Settings, keys and watermarks stay, with the user whose
 * they are, unless all is to go.
 * @param isAll whether settings, keys and watermarks are deleted too
 * @param say told what is removed, and what is left and where
 * @throws Error in sentences where other things have these names, and where the signer cannot be stopped; nothing was
 *   deleted then
 */
export function remove({ run, disk, files, service }: OwnParts, isAll: boolean, say: (text: string) => void): void {
  const faults = foreignNames("/");
  if (faults.length > 0) throw new Error(`Nothing was changed. ${faults.join("\n")}`);
  // Sockets first: a request that waits would start the signer again.
  for (const unit of UNITS) run("systemctl", "stop", unit);
  if (service.process !== undefined) {
    throw new Error("Nothing was deleted. The signer could not be stopped: see systemctl status tezos-signer.");
  }
  const releases = existsSync(`${LAYOUT.opt}/releases`) ? readdirSync(`${LAYOUT.opt}/releases`) : [];
  rmSync(`${LAYOUT.opt}/current`, { force: true });
  files.unlinkDead(releases.map((sha256) => disk.place(sha256)));
  for (const path of Object.values(OVERRIDES)) {
    rmSync(path, { force: true });
    // What its owner has put there stays.
    if (existsSync(dirname(path)) && readdirSync(dirname(path)).length === 0) rmdirSync(dirname(path));
  }
  for (const folder of [LAYOUT.opt, LAYOUT.updater]) rmSync(folder, { recursive: true, force: true });
  run("systemctl", "daemon-reload");
  run("systemctl", "reset-failed", ...UNITS);
  say("removed: the release, its units, and what the upgrades knew");
  const elsewhere = leftElsewhere(settingsText());
  if (elsewhere !== undefined) say(elsewhere);
  if (isAll) {
    for (const folder of [LAYOUT.settingsFolder, LAYOUT.state]) rmSync(folder, { recursive: true, force: true });
    say("removed: settings, keys and watermarks");
    const { status, output } = run("userdel", USER);
    say(status === 0 ? `removed: the user ${USER}` : `left: the user ${USER}, since userdel failed: ${output}`);
    return;
  }
  const left = [LAYOUT.settingsFolder, LAYOUT.state].filter((folder) => existsSync(folder));
  if (left.length > 0) {
    say(
      `left: ${left.join(" and ")}, with settings, keys and watermarks, and the user ${USER}, whose they are. Before another signer signs with these keys, bring it the watermarks.`,
    );
  }
}

/**
 * Says which keys and watermarks lie outside of the two folders, as the settings name them.
 * @param text of the settings; undefined where there are none
 * @returns undefined where there are none elsewhere
 */
export function leftElsewhere(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const { keys, watermarks } = readSettings(text);
    const named = [
      ...(keys.kind === "local" ? [keys.path] : []),
      ...(watermarks.kind === "sqlite" ? [watermarks.path] : []),
    ];
    const elsewhere = named.map((path) => resolve(path)).filter((path) => !isDeleted(path));
    return elsewhere.length === 0 ? undefined : `left, where the settings name them: ${elsewhere.join(", ")}`;
  } catch {
    return "left: keys and watermarks elsewhere, if the settings named such. They cannot be read, so it is not known where.";
  }
}

function isDeleted(path: string): boolean {
  return isUnder(LAYOUT.settingsFolder, path) || isUnder(LAYOUT.state, path);
}
