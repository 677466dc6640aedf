import { Command } from "commander";
import { checkNewFile } from "../../key-files/key-file.ts";
import { openKeyFile, openKeyText, warnIfConnected } from "../ceremony/key-input.ts";
import { storeKey } from "../ceremony/key-output.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";

/** Defines `keys convert`. */
export function convertCommand(io: Io): Command {
  const command = new Command("convert")
    .summary("bring a key of octez or openssl into this tool's form")
    .description(
      "Reads spsk…, p2sk…, spesk…, p2esk… or a PEM file of openssl, and writes the same key as a new encrypted file with a new passphrase. Without FILE it asks for the secret key, which is not shown. The old file is left as it is.",
    )
    .argument("[file]", "a file that holds the key")
    .option("--out <file>", "the file to write (default: ADDRESS.pem)")
    .option("--own-passphrase", "type a passphrase of your own, twice")
    .action(async (file: string | undefined, options: { out?: string; ownPassphrase?: boolean }) => {
      using terminal = new Terminal(io);
      if (options.out !== undefined) await checkNewFile(options.out);
      if (warnIfConnected(terminal)) await terminal.insist("Open the key here all the same?");
      using key = file === undefined ? await askKey(terminal) : await openKeyFile(terminal, file);
      await storeKey(terminal, key, options);
    });
  return withExamples(
    command,
    "tezos-signer keys convert secp256k1_sk.pem",
    "tezos-signer keys convert --out baker.pem",
  );
}

async function askKey(terminal: Terminal) {
  const typed = await terminal.askSecret("Secret key (not shown): ");
  try {
    return await openKeyText(terminal, typed.toString("utf8"));
  } finally {
    typed.fill(0);
  }
}
