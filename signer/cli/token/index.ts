import { Command } from "commander";
import { withExamples } from "../run.ts";
import type { Io } from "../terminal.ts";
import { generateCommand } from "./generate.ts";
import { importCommand } from "./import.ts";
import { listCommand } from "./list.ts";

/** Defines `tezos-signer token …`: keys on a PKCS#11 token (docs/hsm.md). */
export function tokenCommand(io: Io): Command {
  const command = new Command("token")
    .summary("make, import and list keys on a PKCS#11 token")
    .description("Shows the keys of the token that the settings name, makes keys there, and brings keys there.")
    .addCommand(listCommand(io))
    .addCommand(generateCommand(io))
    .addCommand(importCommand(io));
  return withExamples(command, "tezos-signer token list --config /etc/tezos-signer/settings.yaml");
}
