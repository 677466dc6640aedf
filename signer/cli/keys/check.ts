import { Command } from "commander";
import { KeyError } from "../../key-files/key-error.ts";
import { readSmallFile } from "../../key-files/key-file.ts";
import { pemLabel } from "../../key-files/pem.ts";
import { identity } from "../ceremony/key-identity.ts";
import { openKeyFile } from "../ceremony/key-input.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

/** Defines `keys check`. */
export function checkCommand(io: Io): Command {
  const command = new Command("check")
    .summary("prove that the paper's passphrase opens a key file")
    .description(
      "Opens a key file with the passphrase typed from the paper, checks the key, and shows its address. Changes nothing. Do it with each copy of the file before the key guards anything.",
    )
    .argument("<file>", "the key file")
    .action(async (file: string) => {
      using terminal = new Terminal(io);
      using key = await openKeyFile(terminal, file);
      const label = pemLabel((await readSmallFile(file)).toString("utf8"));
      if (label !== undefined && label.address !== key.publicKey.address) {
        throw new KeyError(
          "mismatch",
          `${file} says that it is ${label.address}, but holds ${key.publicKey.address}. Someone or something changed the text at its top.`,
        );
      }
      terminal.say("The passphrase opens the key, and the key is valid. Compare the address with the paper:");
      terminal.print(table(identity(key.publicKey)));
    });
  return withExamples(command, "tezos-signer keys check tz3….pem");
}
