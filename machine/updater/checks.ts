import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Run } from "./command.ts";

/** Files of the machine whose own programs can judge them before they are in force. A program that is missing judges nothing. */
const JUDGES: readonly [what: string, program: string, ...args: string[]][] = [
  ["firewall", "nft", "--check", "--file", "etc/tezos-signer/firewall.nft"],
  ["sudo's rules", "visudo", "--check", "--quiet", "--file", "etc/sudoers.d/10-tezos-signer"],
];

/**
 * Checks what a trial of the signer does not reach: the release's updater, its shell programs, and the machine's files.
 * @param place folder of the release
 * @param units folder in which systemd looks for units until the next boot
 * @returns what is wrong, in words; undefined where nothing is
 */
export function faultOf(place: string, units: string, run: Run): string | undefined {
  const files = join(place, "machine/files");
  // A machine of one's own is upgraded by a command of the new release, which has shown already that it runs.
  if (existsSync(join(files, "etc/systemd/system/tezos-signer-updater.service"))) {
    const updater = run(join(place, "node/bin/node"), join(place, "machine/updater/main.ts"), "--self-test");
    if (updater.status !== 0) return `its updater: ${oneLine(updater.output)}`;
  }
  for (const program of globSync("machine/bin/*", { cwd: place })) {
    const { status, output } = run("bash", "-n", join(place, program));
    if (status !== 0) return `${program}: ${oneLine(output)}`;
  }
  for (const [what, program, ...args] of JUDGES) {
    const file = join(files, args.at(-1) ?? "");
    if (!existsSync(file)) continue;
    const { status, output } = run(program, ...args.slice(0, -1), file);
    if (status !== 0 && status !== null) return `its ${what}: ${oneLine(output)}`;
  }
  return faultOfUnits(join(files, "etc/systemd/system"), units, run);
}

/** Has systemd load each unit under another name: one that it does not take is never started, and closes its socket. */
function faultOfUnits(folder: string, units: string, run: Run): string | undefined {
  const names = globSync("*.{service,socket}", { cwd: folder });
  const trials = new Map(names.map((name) => [name, join(units, `tezos-signer-check-${name}`)]));
  for (const [name, trial] of trials) writeFileSync(trial, readFileSync(join(folder, name)));
  try {
    run("systemctl", "daemon-reload");
    for (const [name, trial] of trials) {
      const state = run("systemctl", "show", "--value", "--property", "LoadState", basename(trial)).output;
      if (state !== "loaded") return `systemd does not take ${name}: ${state}`;
    }
    return undefined;
  } finally {
    for (const trial of trials.values()) rmSync(trial);
    run("systemctl", "daemon-reload");
  }
}

/** Tells the line with the reason. What tar says last is no reason: "Exiting with failure status due to previous errors". */
const REASON = /no space left|read-only file system|error(?!s\b)/i;

/** Returns what a program has said, on one line. */
export function oneLine(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  return (lines.find((line) => REASON.test(line)) ?? lines.at(-1) ?? "").slice(0, 300);
}
