import { Command } from "commander";
import { type Connect, connect as connectToAzure } from "../ceremony/vault-access.ts";
import { withExamples } from "../run.ts";
import type { Io } from "../terminal.ts";
import { bindCommand } from "./bind.ts";
import { checkCommand } from "./check.ts";
import { convertCommand } from "./convert.ts";
import { drillCommand } from "./drill.ts";
import { generateCommand } from "./generate.ts";
import { importCommand } from "./import.ts";
import { kekCommand } from "./kek.ts";
import { listCommand } from "./list.ts";
import { showCommand } from "./show.ts";
import { wrapCommand } from "./wrap.ts";

/**
 * Defines `tezos-signer keys …`: the key ceremony (docs/keys.md).
 * @param connect how vaults are reached; tests put their own here
 */
export function keysCommand(io: Io, connect: Connect = connectToAzure): Command {
  const command = new Command("keys")
    .summary("make, check, wrap and import keys")
    .description("Makes keys offline, brings them into a vault's HSM, and shows what is there.")
    .addCommand(generateCommand(io))
    .addCommand(checkCommand(io))
    .addCommand(showCommand(io))
    .addCommand(convertCommand(io))
    .addCommand(wrapCommand(io))
    .addCommand(kekCommand(io, connect))
    .addCommand(importCommand(io, connect))
    .addCommand(bindCommand(io, connect))
    .addCommand(listCommand(io, connect))
    .addCommand(drillCommand(io));
  return withExamples(command, "tezos-signer keys generate --curve P-256");
}
