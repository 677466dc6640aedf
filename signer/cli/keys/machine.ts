import { Command } from "commander";
import type { Io } from "../terminal.ts";
import { drillGroup, drillVerifyCommand } from "./drill-verify.ts";

/** What the machine in Azure has of `tezos-signer keys`: no private key is handled there, so the drill alone. */
export function machineKeysCommand(io: Io): Command {
  return new Command("keys")
    .summary("prove that the backup is the key in the vault")
    .addCommand(drillGroup(drillVerifyCommand(io)));
}
