import { Command } from "commander";
import { keysCommand } from "../../signer/cli/keys/index.ts";
import { runCommandLine } from "../../signer/cli/run.ts";

/** The keys commands as a process of their own, for tests. */
const program = new Command("tezos-signer").addCommand(keysCommand(process));
process.exitCode = await runCommandLine(program, process.argv.slice(2), process);
