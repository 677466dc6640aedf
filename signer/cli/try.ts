import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import { type LiveSettings, USER_DATA } from "../settings/live-settings.ts";
import { Failure } from "./failure.ts";
import { openLog } from "./log.ts";
import { withExamples } from "./run.ts";
import { openUserData, parseLive, readSettingsFile, settingsCache, settingsForThisRelease } from "./settings-source.ts";
import { type Io, Terminal } from "./terminal.ts";

/** Between two tries, in milliseconds. */
const PAUSE = 500;

/** What the command prints, on one line. */
interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Defines `try`. */
export function tryCommand(io: Io): Command {
  const command = new Command("try")
    .summary("see whether this release would be ready")
    .description(
      "Starts this release beside the one that runs, with the settings that userData or a file has for it, and ends. It reads settings, " +
        "keys and watermark store as `serve` does, signs nothing and writes nothing there. userData's settings that made it ready are " +
        'kept for its start, if it has none that were good. Prints {"ready":…,"reasons":[…]}.',
    )
    .option("--config <file>", "settings, as docs/reference/settings.md describes them")
    .addOption(new Option("--user-data", "settings from the Azure VM's userData").conflicts("config"))
    .addOption(
      new Option("--seconds <number>", "how long it may take").default(60, "60").argParser((text) => {
        if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
        throw new InvalidArgumentError("Give whole seconds, from 1 to 9999.");
      }),
    )
    .action(async ({ config, userData, seconds }: { config?: string; userData?: true; seconds: number }) => {
      if (config === undefined && userData === undefined) {
        throw new Failure("usage", "Say whose settings are to be tried: --config FILE or --user-data.");
      }
      using terminal = new Terminal(io);
      const log = openLog(io);
      const print = (readiness: Readiness) => terminal.print(JSON.stringify(readiness));
      const over = AbortSignal.timeout(seconds * 1_000);
      const readiness = await (config === undefined ? ofUserData(log, over) : ofFile(config, log, over)).catch(
        (error: Error) => {
          print({ ready: false, reasons: [error.message] });
          throw error;
        },
      );
      print(readiness);
      if (readiness.ready) return;
      throw new Failure("unavailable", `Not ready within ${seconds} seconds. ${readiness.reasons.join(" ")}`);
    });
  return withExamples(
    command,
    "tezos-signer try --user-data",
    "tezos-signer try --config /etc/tezos-signer/settings.yaml --seconds 120",
  );
}

/**
 * @param over when the time is over
 * @throws Failure `unavailable` where userData cannot be had, `unusable` where it or its settings are wrong
 */
async function ofUserData(log: Logger, over: AbortSignal): Promise<Readiness> {
  const cache = settingsCache();
  const settings = settingsForThisRelease(await readUserData(over), cache);
  const readiness = await trial(parseLive(settings, USER_DATA), log, over);
  // On ports of its own, so it does not know whether the settings' own can be had: what a signer has listened with stays.
  if (readiness.ready && cache?.read() === undefined) cache?.keep(settings, log);
  return readiness;
}

/** @throws Failure `unusable` where the file or its settings are wrong */
async function ofFile(config: string, log: Logger, over: AbortSignal): Promise<Readiness> {
  return trial(await readSettingsFile(config), log, over);
}

/** @throws StartError, KeyError or StoreError for what waiting would not mend */
async function trial(live: LiveSettings, log: Logger, over: AbortSignal): Promise<Readiness> {
  const { startSigner } = await import("../main.ts");
  const signer = await startSigner(live, log, "trial");
  try {
    for (;;) {
      const readiness = await signer.examine();
      if (readiness.ready || !(await pause(over))) return readiness;
    }
  } finally {
    await signer.stop();
  }
}

async function readUserData(over: AbortSignal): Promise<string> {
  const userData = openUserData();
  for (;;) {
    try {
      return await userData.read();
    } catch (error) {
      if (!(await pause(over))) throw new Failure("unavailable", `${messageOf(error)}.`, { cause: error });
    }
  }
}

/** @returns false where the time is over */
async function pause(over: AbortSignal): Promise<boolean> {
  await sleep(PAUSE, undefined, { signal: over }).catch(() => undefined);
  return !over.aborted;
}
