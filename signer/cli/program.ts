import { Command } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { confirmCommand } from "./confirm.ts";
import { machineKeysCommand } from "./keys/machine.ts";
import { type Start, serveCommand } from "./serve.ts";
import { statusCommand } from "./status.ts";
import type { Io } from "./terminal.ts";
import { watermarksCommand } from "./watermarks/index.ts";
import type { OpenStore } from "./watermarks/store.ts";

/** The whole command line; of the key commands the machine in Azure has one alone. */
export async function program(io: Io, start: Start, openStore: OpenStore): Promise<Command> {
  const command = new Command("tezos-signer")
    .description("A Tezos remote signer whose key lives in an Azure Key Vault HSM.")
    .version(manifest.version)
    .addCommand(serveCommand(io, start))
    .addCommand(confirmCommand(io))
    .addCommand(statusCommand(io))
    .addCommand(watermarksCommand(io, openStore));
  const keys = await import("./keys/index.ts").catch(absent);
  return command.addCommand(keys === undefined ? machineKeysCommand(io) : keys.keysCommand(io));
}

function absent(error: Error & { code?: string; url?: string }): undefined {
  if (error.code === "ERR_MODULE_NOT_FOUND" && error.url?.endsWith("/cli/keys/index.ts")) return;
  throw error;
}
