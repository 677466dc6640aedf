import { Command } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { keysCommand } from "./keys/index.ts";
import { type Start, serveCommand } from "./serve.ts";
import type { Io } from "./terminal.ts";

/** The whole command line. */
export function program(io: Io, start: Start): Command {
  return new Command("tezos-signer")
    .description("A Tezos remote signer whose key lives in an Azure Key Vault HSM.")
    .version(manifest.version)
    .addCommand(serveCommand(io, start))
    .addCommand(keysCommand(io));
}
