import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSettings } from "../../signer/settings/parse.ts";
import { pathsFrom } from "../../signer/settings/paths.ts";
import type { Settings } from "../../signer/settings/schema.ts";
import { type Run, run } from "../updater/command.ts";
import { Compiled } from "../updater/compiled.ts";
import { Disk } from "../updater/disk.ts";
import { Service } from "../updater/service.ts";
import { StateFile } from "../updater/state.ts";
import { type Outcome, Trial } from "../updater/trial.ts";
import { LAYOUT } from "./layout.ts";
import { OwnFiles } from "./own-files.ts";

/** What the commands of a machine of one's own work with. */
export interface OwnParts {
  readonly run: Run;
  readonly disk: Disk;
  readonly state: StateFile;
  readonly files: OwnFiles;
  readonly service: Service;
  readonly trial: Trial;
  readonly compiled: Compiled;
}

/** Makes the parts for this computer. Nothing is written. */
export function ownParts(): OwnParts {
  return {
    run,
    disk: new Disk(LAYOUT.opt),
    state: new StateFile(join(LAYOUT.updater, "state.json")),
    files: new OwnFiles("/", LAYOUT.opt),
    service: new Service(run),
    trial: new Trial(run, "/", join(LAYOUT.opt, "current")),
    compiled: new Compiled(run, "/run", join(LAYOUT.opt, "current/machine/updater/compile.ts")),
  };
}

/** Returns the text of the settings file; undefined where there is none. */
export function settingsText(): string | undefined {
  try {
    return readFileSync(LAYOUT.settings, "utf8");
  } catch {
    return undefined;
  }
}

/** Reads the settings, with paths that the current folder leads to. @throws SettingsError naming every mistake */
export function readSettings(text: string): Settings {
  return pathsFrom(dirname(LAYOUT.settings), parseSettings(text, LAYOUT.settings));
}

/**
 * Tries the release at a place. A board serves one program at a time: a trial beside the signer that has it does not reach it,
 * and only the watch after the switch can tell.
 * @param settings that it is tried with
 * @param seconds how long it may take to get ready
 */
export function tryRelease({ trial, service }: OwnParts, settings: Settings, place: string, seconds: number): Outcome {
  const outcome = trial.of(place, seconds);
  const isHeld = settings.keys.kind === "tezio" && service.process !== undefined;
  return isHeld && outcome.verdict === "waiting" ? { verdict: "ready" } : outcome;
}

/** Tells whether systemd has been told to start the signer, now and at every boot. */
export function isStarted({ run }: Pick<OwnParts, "run">): boolean {
  return run("systemctl", "is-enabled", "--quiet", "tezos-signer.socket").status === 0;
}
