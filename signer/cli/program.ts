import { Command } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { OWN_PROGRAM } from "../own-command.ts";
import { forbidCoreFiles } from "./core-dumps.ts";
import type { Io } from "./terminal.ts";

/** Every command, in the order of the help. Each is loaded apart: a signer that starts must not wait for the others. */
const COMMANDS: Readonly<Record<string, (io: Io) => Promise<Command>>> = {
  serve: async (io) => (await import("./serve.ts")).serveCommand(io),
  try: async (io) => (await import("./try.ts")).tryCommand(io),
  confirm: async (io) => (await import("./confirm.ts")).confirmCommand(io),
  status: async (io) => (await import("./status.ts")).statusCommand(io),
  doctor: async (io) => (await import("./doctor.ts")).doctorCommand(io),
  watermarks: async (io) => (await import("./watermarks/index.ts")).watermarksCommand(io),
  keys: async (io) => (await import("./keys/index.ts")).keysCommand(io),
  settings: async (io) => (await import("./settings/index.ts")).settingsCommand(io),
  install: async (io) => (await import("./install.ts")).installCommand(io),
  token: async (io) => (await import("./token/index.ts")).tokenCommand(io),
  completion: async (io) => (await import("./completion.ts")).completionCommand(io, () => program(io)),
};

/**
 * Builds the command line.
 * @param name of the one command that is wanted; where it is none of them, the command line has all
 * @param called what its help calls the program
 */
export async function program(io: Io, name = "", called = OWN_PROGRAM): Promise<Command> {
  const command = new Command(called)
    .description("A Tezos remote signer whose key lives in an Azure Key Vault HSM.")
    .version(`${manifest.version}, on Node.js ${process.version}`)
    // Keys are in the memory of most commands. A test that runs one in its own process keeps its core files.
    .hook("preAction", () => {
      if (io === process) forbidCoreFiles();
    });
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  for (const make of wanted) if (make !== undefined) command.addCommand(await make(io));
  return command;
}
