import { Command } from "commander";
import { KeyError } from "../../key-files/key-error.ts";
import { readSmallFile } from "../../key-files/key-file.ts";
import { type Label, pemLabel } from "../../key-files/pem.ts";
import { EncodingError } from "../../tezos/crypto/base58.ts";
import { type PublicKey, publicKeyFromBase58 } from "../../tezos/crypto/public-key.ts";
import { facts, identity } from "../ceremony/key-identity.ts";
import { openKeyFile } from "../ceremony/key-input.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

/** Defines `keys show`. */
export function showCommand(io: Io): Command {
  const command = new Command("show")
    .summary("show the address and public key of a key file")
    .description(
      "Shows which key a file holds. A file made by this tool says so in the clear, so no passphrase is asked; other files are opened. `keys check` proves that the file and the passphrase are good.",
    )
    .argument("<file>", "the key file")
    .option("--json", "print it as JSON")
    .action(async (file: string, { json }: { json?: true }) => {
      using terminal = new Terminal(io);
      const print = (key: PublicKey) => (json ? terminal.printJson(facts(key)) : terminal.print(table(identity(key))));
      const label = pemLabel((await readSmallFile(file)).toString("utf8"));
      if (label === undefined) {
        using key = await openKeyFile(terminal, file);
        print(key.publicKey);
        return;
      }
      print(labelled(file, label));
    });
  return withExamples(command, "tezos-signer keys show tz3….pem");
}

/** The public key that a file's text names. @throws KeyError `mismatch` if the text contradicts itself */
function labelled(file: string, { address, base58 }: Label): PublicKey {
  try {
    const key = publicKeyFromBase58(base58);
    if (key.address === address) return key;
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
  }
  throw new KeyError(
    "mismatch",
    `The address and the public key in the text at the top of ${file} do not belong together: it was changed or damaged. "keys check" says which key it holds.`,
  );
}
