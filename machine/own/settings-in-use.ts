/**
 * From the settings in the file to those that the signer has: what systemd must know first, a trial, and only then a start.
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { ADMIN_PORT } from "../../signer/contract.ts";
import { SettingsError } from "../../signer/settings/parse.ts";
import type { Settings } from "../../signer/settings/schema.ts";
import type { Named } from "../updater/state.ts";
import { settingsVersion } from "../updater/upgrade.ts";
import { OVERRIDES } from "./overrides.ts";
import { type OwnParts, readSettings, tryRelease } from "./parts.ts";
import { overrides, type Step, take } from "./preparation.ts";

/** How long settings may take to get ready before the signer is started with them all the same, seconds. */
const TRIAL = 10;
const DEAD = "the signer does not start: see journalctl --unit tezos-signer";

/**
 * Puts the first release into use: linked at once, so that its commands are there, and started once its settings work.
 * @param wanted the release, which is in its place
 * @returns `unfinished` where they do not; it was said why
 */
export function begin(
  parts: OwnParts,
  wanted: Named,
  text: string,
  say: (text: string) => void,
): "done" | "unfinished" {
  const { disk, files, service, state, compiled } = parts;
  const place = disk.place(wanted.sha256);
  disk.use(wanted.sha256);
  files.link(place, false);
  disk.prune([wanted.sha256]);
  const tried = tryOut(parts, text, say);
  if ("fault" in tried) {
    say(`installed, and not started yet: ${tried.fault}`);
    return "unfinished";
  }
  compiled.make(place);
  files.link(place);
  const isAlive = service.restart(place);
  state.note({ wanted, running: wanted, refused: null, candidate: null, step: "done", problem: null });
  if (isAlive)
    say(tried.missing === undefined ? "the signer is ready" : `started, and not ready yet: ${tried.missing}`);
  else say(DEAD);
  return isAlive ? "done" : "unfinished";
}

/**
 * Brings the signer the settings in the file, where it has others.
 * @returns `unfinished` where they do not work; it was said why, and the signer goes on with what it has
 */
export async function renew(
  parts: OwnParts,
  text: string,
  say: (text: string) => void,
): Promise<"done" | "unfinished"> {
  const { disk, run, service } = parts;
  const place = disk.place(disk.current ?? "");
  const port = portText();
  const called = stepsOf(text);
  const isTold = "steps" in called && called.steps.every((step) => step.isDone());
  if (isTold && (await hasSettings(text))) {
    say("nothing to do: the signer has this release and these settings");
    return "done";
  }
  const tried = tryOut(parts, text, say);
  if ("fault" in tried) {
    say(`the signer goes on with the settings that it has: ${tried.fault}`);
    return "unfinished";
  }
  if (tried.missing !== undefined && (await service.readiness())?.ready === true) {
    say(`the signer is ready with the settings that it has, and would not be with these: ${tried.missing}`);
    return "unfinished";
  }
  // systemd takes another port only where neither the socket nor its service is in use.
  if (portText() !== port) run("systemctl", "stop", "tezos-signer.socket", "tezos-signer.service");
  if (!service.restart(place)) {
    say(DEAD);
    return "unfinished";
  }
  const { missing } = tried;
  say(
    missing === undefined
      ? "the signer has the new settings"
      : `it has the new settings, and is not ready yet: ${missing}`,
  );
  return "done";
}

/** Tells systemd of the settings, and tries the release in use with them. */
function tryOut(
  parts: OwnParts,
  text: string,
  say: (text: string) => void,
): { readonly fault: string } | { readonly missing: string | undefined } {
  const called = stepsOf(text);
  if ("fault" in called) return called;
  for (const step of called.steps) take(step, false, say);
  parts.run("systemctl", "daemon-reload");
  const { current = "" } = parts.disk;
  const tried = tryRelease(parts, called.settings, parts.disk.place(current), TRIAL);
  if (tried.verdict === "broken") return { fault: tried.reason };
  return { missing: tried.verdict === "ready" ? undefined : tried.reason };
}

/** The steps that settings call for, or what is wrong with them. */
function stepsOf(
  text: string,
): { readonly settings: Settings; readonly steps: readonly Step[] } | { readonly fault: string } {
  try {
    const settings = readSettings(text);
    return { settings, steps: overrides(settings) };
  } catch (error) {
    if (error instanceof SettingsError) return { fault: error.message };
    throw error;
  }
}

/** The port that systemd is told to hold, as its file has it. */
function portText(): string {
  return existsSync(OVERRIDES.socket) ? readFileSync(OVERRIDES.socket, "utf8") : "";
}

/** Whether the running signer has these settings. */
async function hasSettings(text: string): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${ADMIN_PORT}/status`, { signal: AbortSignal.timeout(3_000) });
    const { settings } = (await answer.json()) as { settings: { version: string } };
    return settingsVersion(text).startsWith(settings.version);
  } catch {
    return false;
  }
}
