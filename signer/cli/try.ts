import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Logger } from "pino";
import { imdsHost } from "../azure/managed-identity.ts";
import { UserData, userDataUrl } from "../azure/user-data.ts";
import { ownRelease } from "../installation/own-release.ts";
import { LastGood } from "../settings/settings-cache.ts";
import { Failure } from "./failure.ts";
import { openLog } from "./log.ts";
import { withExamples } from "./run.ts";
import type { Start } from "./serve.ts";
import { keptSettings, parse, readTold, USER_DATA } from "./settings-source.ts";
import { type Io, Terminal } from "./terminal.ts";

/** Between two looks, in milliseconds. */
const PAUSE = 500;

/** What the command prints, on one line. */
interface Verdict {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** `try` */
export function tryCommand(io: Io, start: Start): Command {
  const command = new Command("try")
    .summary("see whether this release would be ready")
    .description(
      "Starts this release beside the one that runs, with the settings that userData has for it, and ends. It reads settings, " +
        "vault and watermark store as `serve` does, signs nothing and writes nothing there. Settings that made it ready are " +
        'kept for its start. Prints {"ready":…,"reasons":[…]}.',
    )
    .addOption(new Option("--user-data", "settings from the Azure VM's userData").makeOptionMandatory())
    .addOption(
      new Option("--seconds <number>", "how long it may take").default(60, "60").argParser((text) => {
        if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
        throw new InvalidArgumentError("Give whole seconds, from 1 to 9999.");
      }),
    )
    .action(async ({ seconds }: { seconds: number }) => {
      using terminal = new Terminal(io);
      const log = openLog(io);
      const print = (verdict: Verdict) => terminal.print(JSON.stringify(verdict));
      const verdict = await trial(start, log, AbortSignal.timeout(seconds * 1_000)).catch((error: Error) => {
        print({ ready: false, reasons: [error.message] });
        throw error;
      });
      print(verdict);
      if (verdict.ready) return;
      throw new Failure("unavailable", `Not ready within ${seconds} seconds. ${verdict.reasons.join(" ")}`);
    });
  return withExamples(command, "tezos-signer try --user-data", "tezos-signer try --user-data --seconds 120");
}

/**
 * @param over when the time is over
 * @throws Failure `unavailable` where userData cannot be had, `unusable` where it or its settings are wrong
 */
async function trial(start: Start, log: Logger, over: AbortSignal): Promise<Verdict> {
  const lastGood = lastGoodHere();
  const settings = ownSettings(await readUserData(over), lastGood);
  const signer = await start(parse(settings, USER_DATA), log, "trial");
  try {
    for (;;) {
      const verdict = await signer.examine();
      if (verdict.ready) lastGood?.keep(settings, log);
      if (verdict.ready || !(await pause(over))) return verdict;
    }
  } finally {
    await signer.stop();
  }
}

/** As `serve` takes them at its start: where userData is for another release, the last ones that were good for this one. */
function ownSettings(text: string, lastGood: LastGood | undefined): string {
  try {
    const told = readTold(text);
    return told.kind === "own" ? told.settings : keptSettings(lastGood, told.release);
  } catch (error) {
    throw new Failure("unusable", (error as Error).message, { cause: error });
  }
}

async function readUserData(over: AbortSignal): Promise<string> {
  const userData = new UserData({ url: userDataUrl(imdsHost()), apply: () => undefined });
  for (;;) {
    try {
      return await userData.read();
    } catch (error) {
      if (!(await pause(over))) throw new Failure("unavailable", `${(error as Error).message}.`, { cause: error });
    }
  }
}

/** @returns false where the time is over */
async function pause(over: AbortSignal): Promise<boolean> {
  await sleep(PAUSE, undefined, { signal: over }).catch(() => undefined);
  return !over.aborted;
}

function lastGoodHere(): LastGood | undefined {
  const { STATE_DIRECTORY } = process.env;
  return STATE_DIRECTORY === undefined ? undefined : new LastGood(STATE_DIRECTORY, ownRelease());
}
