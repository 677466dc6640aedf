import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { inWords } from "../updater/progress.ts";
import type { Named } from "../updater/state.ts";
import { settingsVersion, Upgrade } from "../updater/upgrade.ts";
import { versionAt } from "../updater/version.ts";
import { missingPrograms } from "./computer.ts";
import { LAYOUT } from "./layout.ts";
import { foreignNames } from "./names.ts";
import { isStarted, type OwnParts, readSettings, settingsText, tryRelease } from "./parts.ts";
import { overrides, preparation, take } from "./preparation.ts";
import { copyRelease, releaseHash } from "./release-copy.ts";
import { makeFolder } from "./root-files.ts";
import { begin, renew } from "./settings-in-use.ts";

/** How an installation ended: `unfinished` where a person must mend something first, and it was said what. */
export type Ending = "done" | "unfinished" | "refused" | "waiting";

export interface InstallOptions {
  /** Folder of the release that this program is in. */
  readonly source: string;
  /** Says what would be done, and does none of it. */
  readonly isDryRun: boolean;
  readonly say: (text: string) => void;
  /** How long a new release must sign without a fault before the one before is given up, milliseconds. */
  readonly watch: number;
}

/**
 * Installs the release that this program is in, or upgrades to it where another is in use: the same command again changes
 * nothing but what is new. Killed at any point, the next run goes on.
 * @throws Error in sentences, for a computer that this cannot be done on; nothing was changed then
 */
export async function install(parts: OwnParts, options: InstallOptions): Promise<Ending> {
  const { disk, run, state } = parts;
  const { say, isDryRun } = options;
  const faults = [...missingPrograms(), ...foreignNames("/")];
  if (faults.length > 0) throw new Error(`Nothing was changed. ${faults.join("\n")}`);
  const source = resolve(options.source);
  // What is installed is named by its folder; its files are not all MANIFEST's any more.
  const isInstalled = source.startsWith(`${LAYOUT.opt}/`);
  const sha256 = isInstalled ? (disk.current ?? "") : releaseHash(source);
  const wanted: Named = { version: versionAt(source), sha256 };
  const sysusers = join(source, "machine/files/etc/sysusers.d/tezos-signer.conf");
  for (const step of preparation(run, sysusers, existsSync(join(source, "hardware")))) take(step, isDryRun, say);
  if (isDryRun) return foresee(parts, wanted, say);
  makeFolder(LAYOUT.updater);
  const text = settingsText() ?? "";
  if (!isStarted(parts)) {
    const copied = copyRelease(source, sha256, disk, run);
    if (copied.status !== 0) throw new Error(`The release was not copied: ${copied.output}`);
    return begin(parts, wanted, text, say);
  }
  // A release that was not proven when an earlier run was ended is watched to the end.
  if (disk.current !== sha256 || state.now.candidate !== null) return upgrade(parts, options, wanted, text);
  return renew(parts, text, say);
}

/** Says what would be done besides the preparation. */
function foresee(parts: OwnParts, wanted: Named, say: (text: string) => void): Ending {
  const words = inWords(wanted);
  const text = settingsText();
  if (text !== undefined) for (const step of overrides(readSettings(text))) take(step, true, say);
  if (!parts.disk.has(wanted.sha256)) say(`would copy ${words} to ${parts.disk.place(wanted.sha256)}`);
  if (!isStarted(parts)) say(`would put ${words} into use, link its units, and start them where the settings work`);
  else if (parts.disk.current === wanted.sha256) say(`${words} is in use`);
  else say(`would try ${words} beside the one that signs, switch to it, and watch it`);
  return "done";
}

/** The way from the release in use to another, which is that of Azure's machine. */
async function upgrade(parts: OwnParts, options: InstallOptions, wanted: Named, text: string): Promise<Ending> {
  const { disk, run, state, compiled } = parts;
  const { say, source, watch } = options;
  const settings = readSettings(text);
  for (const step of overrides(settings)) take(step, false, say);
  // Whoever asks once more has mended something, or wants to know.
  state.note({ refused: null, tries: null });
  const worker = new Upgrade({
    ...parts,
    trial: (place, seconds) => tryRelease(parts, settings, place, seconds),
    compile: (place) => compiled.make(place),
    fetch: () => copyRelease(source, wanted.sha256, disk, run),
    apply: async () => true,
    firewall: () => undefined,
    isWanted: async (_, settings) => settingsVersion(settingsText() ?? "") === settings,
    versionAt,
    say,
    watch,
    clock: () => performance.now(),
  });
  const machine = { ssh: false, maintenance: "", metrics: [] };
  await worker.resume(machine);
  const end = await worker.towards({ release: { ...wanted, url: source, clientId: "" }, machine, settings: text });
  if (disk.current === wanted.sha256 && state.now.candidate === null) return "done";
  return end === "again" ? "waiting" : "refused";
}
