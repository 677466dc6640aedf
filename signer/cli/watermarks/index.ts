import { Command } from "commander";
import type { Io } from "../terminal.ts";
import { checkCommand } from "./check.ts";
import { exportCommand } from "./export.ts";
import { forgetCommand } from "./forget.ts";
import { importCommand } from "./import.ts";
import { initCommand } from "./init.ts";
import { showCommand } from "./show.ts";

/** Defines `tezos-signer watermarks …`: the record of what was signed (docs/recover.md). */
export function watermarksCommand(io: Io): Command {
  return new Command("watermarks")
    .summary("show, carry over and mend the record of what was signed")
    .description(
      "Works on the record that keeps a key from signing twice. A SQLite record is one process's alone: stop the signer first. A table may be used while signers run.",
    )
    .addCommand(showCommand(io))
    .addCommand(checkCommand(io))
    .addCommand(exportCommand(io))
    .addCommand(importCommand(io))
    .addCommand(initCommand(io))
    .addCommand(forgetCommand(io));
}
