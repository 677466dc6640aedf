import { Command } from "commander";
import type { Io } from "../terminal.ts";
import { convertCommand } from "./convert.ts";

/** Defines `tezos-signer settings …`: what a signer is set up by (docs/reference/settings.md). */
export function settingsCommand(io: Io): Command {
  return new Command("settings")
    .summary("convert the settings of another signer")
    .description("Makes this signer's settings.")
    .addCommand(convertCommand(io));
}
