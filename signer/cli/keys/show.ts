import { Command } from "commander";
import { readSmallFile } from "../../keys/key-file.ts";
import { pemLabel } from "../../keys/pem.ts";
import { publicKeyFromBase58 } from "../../tezos/public-key.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal, table } from "../terminal.ts";
import { identity } from "./identity.ts";
import { openKeyFile } from "./key-input.ts";

/** `keys show` */
export function showCommand(io: Io): Command {
  const command = new Command("show")
    .summary("show the address and public key of a key file")
    .description(
      "Shows which key a file holds. A file made by this tool says so in the clear, so no passphrase is asked; other files are opened. `keys check` proves that the file and the passphrase are good.",
    )
    .argument("<file>", "the key file")
    .action(async (file: string) => {
      using terminal = new Terminal(io);
      const label = pemLabel((await readSmallFile(file)).toString("utf8"));
      if (label === undefined) {
        using key = await openKeyFile(terminal, file);
        terminal.print(table(identity(key.publicKey)));
        return;
      }
      terminal.print(table(identity(publicKeyFromBase58(label.base58))));
    });
  return withExamples(command, "tezos-signer keys show tz3….pem");
}
