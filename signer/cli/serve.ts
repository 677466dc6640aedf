import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { type Logger, pino, stdTimeFunctions } from "pino";
import type { Keyring } from "../keys/keyring.ts";
import { parseSettings, type Settings, SettingsError } from "../settings.ts";
import type { Curve } from "../tezos/public-key.ts";
import { Failure } from "./failure.ts";
import { withExamples } from "./run.ts";
import { type Io, Terminal } from "./terminal.ts";

/** Starts a signer; main.ts gives the real one. */
export type Start = (settings: Settings, logger: Logger) => Promise<RunningSigner>;

export interface RunningSigner {
  readonly url: string;
  readonly adminUrl: string;
  readonly keyring: Keyring;
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
      new Option("--curve <curve>", "the test key's curve: P-256 for tz3, P-256K for tz2")
        .choices(["P-256", "P-256K"])
        .default("P-256")
        .conflicts("config"),
    )
    .action(async ({ config, curve }: { config?: string; curve: Curve }) => {
      using terminal = new Terminal(io);
      const file = config ?? (await (await import("./first-use.ts")).prepareFirstUse(terminal, curve));
      // Asked for before the start: a signal that comes meanwhile must not end the process half-way.
      const stopped = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
      const signer = await start(await readSettings(file), openLog(io));
      introduce(terminal, signer, file);
      await stopped;
      await signer.stop();
    });
  return withExamples(command, "tezos-signer serve", "tezos-signer serve --config /etc/tezos-signer/settings.yaml");
}

async function readSettings(file: string): Promise<Settings> {
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new Failure("unusable", `The settings cannot be read: ${error.message}.`, { cause: error });
  });
  try {
    return parseSettings(text, file);
  } catch (error) {
    if (error instanceof SettingsError) throw new Failure("unusable", error.message, { cause: error });
    throw error;
  }
}

/** JSON lines on standard error: standard output is for what a person asked for. */
function openLog(io: Io): Logger {
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino({ base: null, timestamp: stdTimeFunctions.isoTime, formatters }, io.stderr);
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
