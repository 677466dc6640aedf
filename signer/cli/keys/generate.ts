import { Command, Option } from "commander";
import { checkNewFile } from "../../key-files/key-file.ts";
import { PrivateKey } from "../../key-files/private-key.ts";
import type { Curve } from "../../tezos/crypto/curve.ts";
import { warnIfConnected } from "../ceremony/key-input.ts";
import { storeKey } from "../ceremony/key-output.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";

/** Defines `keys generate`. */
export function generateCommand(io: Io): Command {
  const command = new Command("generate")
    .summary("make a key, offline, as an encrypted file")
    .description(
      "Makes a private key on this computer, without a network, and writes it encrypted. Makes a passphrase to be copied onto paper. Prints the address, the public key and a fingerprint.",
    )
    .addOption(
      new Option("--curve <curve>", "P-256 for a tz3 address, P-256K for tz2")
        .choices(["P-256", "P-256K"])
        .makeOptionMandatory(),
    )
    .option("--out <file>", "the file to write (default: ADDRESS.pem)")
    .option("--own-passphrase", "type a passphrase of your own, twice")
    .action(async (options: { curve: Curve; out?: string; ownPassphrase?: boolean }) => {
      using terminal = new Terminal(io);
      if (options.out !== undefined) await checkNewFile(options.out);
      if (warnIfConnected(terminal)) await terminal.insist("Make the key here all the same?");
      using key = PrivateKey.generate(options.curve);
      await storeKey(terminal, key, options);
    });
  return withExamples(command, "tezos-signer keys generate --curve P-256");
}
