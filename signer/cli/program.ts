import { Command } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { confirmCommand } from "./confirm.ts";
import { type Start, serveCommand } from "./serve.ts";
import { statusCommand } from "./status.ts";
import type { Io } from "./terminal.ts";

/** The whole command line; on the machine in Azure, which has no key commands, the rest of it. */
export async function program(io: Io, start: Start): Promise<Command> {
  const command = new Command("tezos-signer")
    .description("A Tezos remote signer whose key lives in an Azure Key Vault HSM.")
    .version(manifest.version)
    .addCommand(serveCommand(io, start))
    .addCommand(confirmCommand(io))
    .addCommand(statusCommand(io));
  const keys = await import("./keys/index.ts").catch(absent);
  return keys === undefined ? command : command.addCommand(keys.keysCommand(io));
}

function absent(error: Error & { code?: string; url?: string }): undefined {
  if (error.code === "ERR_MODULE_NOT_FOUND" && error.url?.endsWith("/cli/keys/index.ts")) return;
  throw error;
}
