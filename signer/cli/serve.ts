import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import type { Logger } from "pino";
import { imdsHost } from "../azure/managed-identity.ts";
import { UserData, userDataUrl } from "../azure/user-data.ts";
import { ownRelease } from "../installation/own-release.ts";
import type { Keyring } from "../keys/keyring.ts";
import { LiveSettings, type Outcome } from "../settings/live-settings.ts";
import { LastGood } from "../settings/settings-cache.ts";
import type { Curve } from "../tezos/crypto/curve.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { openLog } from "./log.ts";
import { withExamples } from "./run.ts";
import { keptSettings, parse, readTold, USER_DATA, waiting } from "./settings-source.ts";
import { type Io, Terminal } from "./terminal.ts";

/** Starts a signer, for good or for a trial; main.ts gives the real one. */
export type Start = (settings: LiveSettings, logger: Logger, purpose?: "trial") => Promise<RunningSigner>;

export interface RunningSigner {
  readonly url: string;
  readonly adminUrl: string;
  readonly keyring: Keyring;
  examine(): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>;
  stop(): Promise<void>;
}

/** `serve` */
export function serveCommand(io: Io, start: Start): Command {
  const command = new Command("serve")
    .summary("run the signer")
    .description(
      "Runs the signer until it is stopped (Ctrl-C, or SIGTERM): signatures in flight are finished first. " +
        `Without --config it makes a test key on first use, in .tezos-signer/, and finds it again.`,
    )
    .option("--config <file>", "settings, as docs/reference/settings.md describes them")
    .addOption(
      new Option("--user-data", "settings from the Azure VM's userData, followed while it runs").conflicts("config"),
    )
    .addOption(
      new Option("--curve <curve>", "the test key's curve: P-256 for tz3, P-256K for tz2")
        .choices(["P-256", "P-256K"])
        .default("P-256")
        .conflicts(["config", "userData"]),
    )
    .action(async ({ config, userData, curve }: { config?: string; userData?: true; curve: Curve }) => {
      using terminal = new Terminal(io);
      const log = openLog(io);
      // Asked for before the start, so that a signal that comes meanwhile is told.
      const restart = Promise.withResolvers<void>();
      const stopped = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT"), restart.promise]);
      using followed = userData ? await followUserData(log, restart.resolve) : undefined;
      const live = followed?.live ?? (await readSettings(config ?? (await firstUse(terminal, curve))));
      const signer = await Promise.race([start(live, log), stopped.then(() => undefined)]);
      if (signer === undefined) {
        // Nobody has been promised an answer yet, and the next process need not wait for the rest of this start.
        log.info("stopped before it listened");
        process.exit(EXIT_CODES.done.code);
      }
      introduce(terminal, signer, live.source);
      await stopped;
      await signer.stop();
    });
  return withExamples(command, "tezos-signer serve", "tezos-signer serve --config /etc/tezos-signer/settings.yaml");
}

async function firstUse(terminal: Terminal, curve: Curve): Promise<string> {
  const { prepareFirstUse } = await import("./first-use.ts");
  return prepareFirstUse(terminal, curve);
}

async function readSettings(file: string): Promise<LiveSettings> {
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new Failure("unusable", `The settings cannot be read: ${error.message}.`, { cause: error });
  });
  return parse(text, file);
}

/**
 * Settings from the machine's userData, which `pulumi up` changes in place; where it cannot be used at the start, or is for
 * another release, the last that this one could use. Settings for another release are left to that one.
 * @param restart called where new settings need a new process, which systemd starts
 */
async function followUserData(log: Logger, restart: () => void): Promise<Disposable & { readonly live: LiveSettings }> {
  const { STATE_DIRECTORY } = process.env;
  const lastGood = STATE_DIRECTORY === undefined ? undefined : new LastGood(STATE_DIRECTORY, ownRelease());
  const userData = new UserData({ url: userDataUrl(imdsHost()), apply: (text) => take(text) });
  const take = (text: string) => {
    try {
      const told = readTold(text);
      if (told.kind === "another") {
        live.leaveTo(told.release);
        log.info(waiting(told.release));
        return;
      }
      const outcome = live.offer(told.settings);
      log.info({ outcome }, OUTCOMES[outcome]);
      lastGood?.keep(told.settings, log);
      if (outcome === "restart") restart();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      live.refuse(reason);
      log.error(reason);
      throw error;
    }
  };
  const { live, text } = await firstSettings(userData, lastGood, log);
  userData.watch(text);
  return { live, [Symbol.dispose]: () => userData.stop() };
}

const OUTCOMES = {
  applied: "new settings are in use",
  unchanged: "the settings are the ones in use",
  restart: "new settings need a new process; ending",
} as const satisfies Record<Outcome, string>;

/** @returns the settings to begin with, and what userData was when they were read */
async function firstSettings(userData: UserData, lastGood: LastGood | undefined, log: Logger) {
  let text = "";
  try {
    text = await userData.read();
    const told = readTold(text);
    if (told.kind === "another") {
      const live = new LiveSettings(keptSettings(lastGood, told.release), USER_DATA);
      live.leaveTo(told.release);
      log.info(`${waiting(told.release)}; the last good settings of this one are in use`);
      return { live, text };
    }
    const live = new LiveSettings(told.settings, USER_DATA);
    lastGood?.keep(told.settings, log);
    return { live, text };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const kept = lastGood?.read();
    if (kept === undefined) throw new Failure("unusable", reason, { cause: error });
    log.error(`${reason}; the last good settings are in use`);
    const live = parse(kept, USER_DATA);
    live.refuse(reason);
    return { live, text };
  }
}

function introduce(terminal: Terminal, { url, adminUrl, keyring }: RunningSigner, file: string): void {
  const lines = [...keyring.keys.values()].flatMap(({ publicKey: { address, base58 } }) => [
    `Address     ${address}`,
    `Public key  ${base58}`,
    "In octez:",
    `  octez-client import secret key my_key ${url}/${address}`,
    "",
  ]);
  lines.push(`Signer      ${url}`, `Status      ${adminUrl}/status`, `Settings    ${file}`);
  terminal.print(lines.join("\n"));
}
