import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { Command, Option } from "commander";
import type { Curve } from "../tezos/crypto/curve.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { followAnnouncements } from "./follow-announcements.ts";
import { followUserData } from "./follow-user-data.ts";
import { introduction } from "./introduction.ts";
import { LOG_FORMATS, type LogFormat, openLog } from "./log.ts";
import { rereadSettings } from "./reload.ts";
import { withExamples } from "./run.ts";
import { readSettingsFile, socketHere } from "./settings-source.ts";
import { type Io, Terminal } from "./terminal.ts";

interface ServeOptions {
  readonly config?: string;
  readonly userData?: true;
  readonly curve: Curve;
  readonly log?: LogFormat;
}

/** Defines `serve`. */
export function serveCommand(io: Io): Command {
  const command = new Command("serve")
    .summary("run the signer")
    .description(
      "Runs the signer until it is stopped (Ctrl-C, or SIGTERM): signatures in flight are finished first. SIGHUP makes it " +
        "read its settings file and its TLS certificate again. " +
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
    .addOption(
      new Option("--log <format>", "JSON lines, or words for a person (default: words at a terminal)").choices(
        LOG_FORMATS,
      ),
    )
    .action(async ({ config, userData, curve, log: format }: ServeOptions) => {
      using terminal = new Terminal(io);
      const log = openLog(io, format);
      // Asked for before the start, so that a signal that comes meanwhile is told.
      let renew: () => Promise<void> = async () => undefined;
      keepThroughHangUp(() => renew());
      let goDown: () => Promise<void> = async () => undefined;
      process.on("SIGUSR2", () => void goDown());
      const restart = Promise.withResolvers<void>();
      const stopped = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT"), restart.promise]);
      const starting = (async () => {
        const followed = userData ? await followUserData(log, restart.resolve) : undefined;
        const live = followed?.live ?? (await readSettingsFile(config ?? (await firstUse(terminal, curve))));
        await setImmediate(); // a signal that came meanwhile
        try {
          // Loaded here and not above: with its servers and SDKs it is large, and other commands have no use for it.
          const { startSigner } = await import("../main.ts");
          return { followed, live, signer: await startSigner(live, log) };
        } catch (error) {
          followed?.noteFailure(error);
          followed?.[Symbol.dispose]();
          throw error;
        }
      })();
      const started = await Promise.race([starting, stopped.then(() => undefined)]);
      if (started === undefined) {
        // Nobody has been promised an answer yet, and the next process need not wait for the rest of this start.
        log.info("stopped before it listened");
        process.exit(EXIT_CODES.done.code);
      }
      const { live, signer } = started;
      using followed = started.followed;
      // A signer that nobody watches any more must not stay: it would follow no settings and obey no signal.
      try {
        followed?.keepOnceReady(signer);
        using _announcements = userData && followAnnouncements(signer.departure, log);
        goDown = () => signer.departure.goDown();
        terminal.print(introduction(signer, live, await socketHere().catch(() => undefined)));
        renew = async () => {
          log.info("SIGHUP: settings and certificate are looked at");
          if (followed === undefined) await rereadSettings(live, log);
          await signer.renewCertificate();
        };
        await stopped;
      } finally {
        await signer.stop();
      }
    });
  return withExamples(command, "tezos-signer serve", "tezos-signer serve --config /etc/tezos-signer/settings.yaml");
}

/**
 * Goes on when the terminal is closed (SIGHUP): a signer that was started by hand is not to end with it. What is written to a terminal
 * that is gone is lost.
 * @param renew called at each SIGHUP
 */
function keepThroughHangUp(renew: () => Promise<void>): void {
  process.on("SIGHUP", () => void renew());
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EIO") throw error;
    });
  }
}

async function firstUse(terminal: Terminal, curve: Curve): Promise<string> {
  const { prepareFirstUse } = await import("./first-use.ts");
  return prepareFirstUse(terminal, curve);
}
