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
import { Trial } from "../updater/trial.ts";
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

/** Whether systemd has been told to start the signer, now and at every boot. */
export function isStarted({ run }: Pick<OwnParts, "run">): boolean {
  return run("systemctl", "is-enabled", "--quiet", "tezos-signer.socket").status === 0;
}
