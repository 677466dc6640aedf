import { Command } from "commander";
import { type Kek, parseKek, wrapKey } from "../../key-files/byok.ts";
import { KeyError } from "../../key-files/key-error.ts";
import { checkNewFile, readSmallFile, writeNewFile } from "../../key-files/key-file.ts";
import { openKeyFile, warnIfConnected } from "../ceremony/key-input.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

/** Defines `keys wrap`. */
export function wrapCommand(io: Io): Command {
  const command = new Command("wrap")
    .summary("encrypt a key for one vault's HSM, offline")
    .description(
      "Makes the file that carries a key into a vault: encrypted so that only the HSM which holds the key exchange key (KEK) can open it. Asks for the KEK's fingerprint as `keys kek` showed it on the online computer: a swapped KEK would give the key to whoever swapped it.",
    )
    .argument("<file>", "the key file")
    .requiredOption("--kek <file>", "the KEK's public half, written by `keys kek`")
    .option("--out <file>", "the file to write (default: ADDRESS.byok)")
    .action(async (file: string, options: { kek: string; out?: string }) => {
      using terminal = new Terminal(io);
      if (options.out !== undefined) await checkNewFile(options.out);
      warnIfConnected(terminal);
      const kek = await readKek(options.kek);
      await compareFingerprint(terminal, kek);
      using key = await openKeyFile(terminal, file);
      const out = options.out ?? `${key.publicKey.address}.byok`;
      await writeNewFile(out, wrapKey(key, kek));
      terminal.say("Wrapped. Take the file below to the online computer; leave the key file here.");
      terminal.print(
        table([
          ["Address", key.publicKey.address],
          ["Opens in", new URL(kek.kid).host],
          ["KEK", kek.fingerprint],
          ["File", out],
        ]),
      );
    });
  return withExamples(command, "tezos-signer keys wrap tz3….pem --kek kek.json");
}

async function readKek(path: string): Promise<Kek> {
  const text = (await readSmallFile(path)).toString("utf8");
  try {
    return parseKek(text);
  } catch (error) {
    if (error instanceof KeyError) throw new KeyError(error.problem, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The fingerprint is asked for before it is shown: a shown one would be copied, not compared. */
async function compareFingerprint(terminal: Terminal, kek: Kek): Promise<void> {
  terminal.say(`This key exchange key says that it is of ${new URL(kek.kid).host}. Only its fingerprint proves that.`);
  const typed = await terminal.ask("Type the KEK's fingerprint from the paper (8 groups of 4): ");
  const digits = typed.toLowerCase().replaceAll(/[\s-]/g, "");
  if (digits === kek.fingerprint.replaceAll(" ", "")) {
    terminal.say(`The same: ${kek.fingerprint}`);
    return;
  }
  throw new KeyError(
    "mismatch",
    `The KEK in the file has the fingerprint\n  ${kek.fingerprint}\nand that is not what was typed. If the paper says otherwise, the file was swapped or is of another vault, and whoever made it would get your key. Fetch it again with "keys kek show" and compare. Nothing was wrapped.`,
  );
}
