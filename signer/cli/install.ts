import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { Command, Option } from "commander";
import { UPDATER_LOCK } from "../contract.ts";
import { ownCommand } from "../own-command.ts";
import { EXIT_CODES, type ExitReason } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { withExamples } from "./run.ts";
import { type Io, Terminal } from "./terminal.ts";

/** The installer is one of the machine's programs, beside the signer in a release and in a checkout. */
const INSTALLER = resolve(import.meta.dirname, "../../machine/own/main.ts");
/** What must be typed before marks and keys are deleted. */
const WORDS = "delete keys and watermarks";

interface Options {
  readonly dryRun?: true;
  readonly check?: true;
  readonly remove?: true;
  readonly all?: true;
}

/** Defines `install`. */
export function installCommand(io: Io): Command {
  const command = new Command("install")
    .summary("install this release on a Linux computer of your own, or upgrade to it")
    .description(
      "Makes a computer with systemd a signer's (docs/on-premises.md), as root: a user, folders, first settings, a hardened " +
        "service, and sockets that systemd holds. Where another release is in use, this one is tried beside it, switched to " +
        "and watched, and given up again if it does not work. The same command again changes only what is new in release and settings.",
    )
    .option("--dry-run", "say what would be done, and do none of it")
    .addOption(new Option("--check", "say what is missing, and change nothing").conflicts(["dryRun", "remove"]))
    .addOption(
      new Option("--remove", "remove what was installed; settings, keys and watermarks stay").conflicts("dryRun"),
    )
    .option("--all", "with --remove: delete settings, keys and watermarks too, after a question")
    .action(async (options: Options) => {
      if (options.all && !options.remove) throw new Failure("usage", "--all goes with --remove.");
      if (options.all) await confirmDeletion(io);
      const { dryRun, check, remove, all } = options;
      const word = dryRun ? "dry-run" : check ? "check" : remove ? (all ? "remove-all" : "remove") : "install";
      await runInstaller(word);
    });
  return withExamples(
    command,
    "tezos-signer install --dry-run",
    "tezos-signer install",
    "tezos-signer install --check",
  );
}

async function confirmDeletion(io: Io): Promise<void> {
  using terminal = new Terminal(io);
  terminal.warn("Without its watermarks a key signs twice what it signed before; without its file it is gone.");
  const answer = await terminal.ask(`Type "${WORDS}": `);
  if (answer !== WORDS) throw new Failure("declined", "Nothing was changed.");
}

/** @throws Failure by the installer's exit code, with its last sentences */
async function runInstaller(word: string): Promise<void> {
  const own = [process.execPath, INSTALLER, word];
  const isLooking = word === "check" || word === "dry-run";
  const lock = ["flock", "--nonblock", "--conflict-exit-code", String(EXIT_CODES["in-use"].code), UPDATER_LOCK];
  const [program = "", ...words] = isLooking || process.getuid?.() !== 0 ? own : [...lock, ...own];
  const child = spawn(program, words, { stdio: ["inherit", "inherit", "pipe"] });
  const said = text(child.stderr);
  const [code] = (await once(child, "close").catch((error: Error) => {
    throw new Failure("failed", `${program} cannot be started: ${error.message}.`, { cause: error });
  })) as [number | null];
  const reasons = Object.keys(EXIT_CODES) as ExitReason[];
  const reason = reasons.find((each) => EXIT_CODES[each].code === code) ?? "failed";
  if (reason === "done") return;
  throw new Failure(
    reason,
    (await said).trim() || `Another \`${ownCommand("install")}\` is at work, or this one was ended.`,
  );
}
