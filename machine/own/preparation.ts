import { chmodSync, existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Settings } from "../../signer/settings/schema.ts";
import type { Run } from "../updater/command.ts";
import { firstSettings } from "./first-settings.ts";
import { LAYOUT, USER } from "./layout.ts";
import { OVERRIDES, overridesOf } from "./overrides.ts";
import { makeFolder, writeWhole } from "./root-files.ts";

/** Something that an installation has, and how it comes about. */
export interface Step {
  /** What is done, as a person reads it. */
  readonly what: string;
  readonly isDone: () => boolean;
  readonly act: () => void;
}

/**
 * Returns what is made beside the release: the user, the folders, the first settings. What is there already stays as it
 * is.
 * @param sysusers the file that describes the user
 * @param hasHardware whether the release has the packages for tokens
 */
export function preparation(run: Run, sysusers: string, hasHardware: boolean): readonly Step[] {
  const must = (...words: [string, ...string[]]) => {
    const { status, output } = run(...words);
    if (status !== 0) throw new Error(`${words.join(" ")} failed: ${output}`);
  };
  return [
    {
      what: `make the user and group ${USER}, who may log in nowhere`,
      isDone: () => run("id", "--user", USER).status === 0,
      act: () => must("systemd-sysusers", sysusers),
    },
    {
      what: `make ${LAYOUT.settingsFolder}, root's, for the group ${USER} to read`,
      isDone: () => existsSync(LAYOUT.settingsFolder),
      act: () => {
        makeFolder(LAYOUT.settingsFolder, 0o750);
        must("install", "-d", "-m", "0750", "-o", "root", "-g", USER, LAYOUT.settingsFolder);
      },
    },
    {
      what: `make ${LAYOUT.state}, for the user ${USER} alone`,
      isDone: () => existsSync(LAYOUT.state) && (statSync(LAYOUT.state).mode & 0o777) === 0o700,
      act: () => {
        makeFolder(LAYOUT.state, 0o700);
        must("install", "-d", "-m", "0700", "-o", USER, "-g", USER, LAYOUT.state);
      },
    },
    {
      what: `write first settings, ${LAYOUT.settings}`,
      isDone: () => existsSync(LAYOUT.settings),
      act: () => {
        writeWhole(LAYOUT.settings, firstSettings(hasHardware), 0o600, (draft) => {
          must("chown", `root:${USER}`, draft);
          chmodSync(draft, 0o640);
        });
      },
    },
  ];
}

/** Returns what systemd is told of the settings; a step for each file. */
export function overrides(settings: Settings): readonly Step[] {
  const texts = overridesOf(settings);
  return (["socket", "service"] as const).map((unit) => {
    const path = OVERRIDES[unit];
    const text = texts[unit];
    return {
      what: text === undefined ? `remove ${path}, which the settings call for no more` : `write ${path}`,
      isDone: () => (existsSync(path) ? readFileSync(path, "utf8") : undefined) === text,
      act: () => {
        if (text === undefined) return rmSync(path, { force: true });
        makeFolder(dirname(path));
        writeWhole(path, text);
      },
    };
  });
}

/** Does a step that is not done yet, and says so. @param isDryRun whether it is only said */
export function take({ what, isDone, act }: Step, isDryRun: boolean, say: (text: string) => void): void {
  if (isDone()) return;
  say(isDryRun ? `would ${what}` : what);
  if (!isDryRun) act();
}
