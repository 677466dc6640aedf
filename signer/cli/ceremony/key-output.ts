import { KeyError } from "../../key-files/key-error.ts";
import { checkNewFile, readSmallFile, writeNewFile } from "../../key-files/key-file.ts";
import { faultOfOwnPassphrase, kinds, makePassphrase, readTyped } from "../../key-files/passphrase.ts";
import { decryptPem, encryptPem } from "../../key-files/pem.ts";
import type { PrivateKey } from "../../key-files/private-key.ts";
import { ownCommand } from "../../own-command.ts";
import type { Terminal } from "../terminal.ts";
import { table } from "../text.ts";
import { identity } from "./key-identity.ts";
import { hintOf } from "./key-input.ts";

/** Stores a new or converted key: passphrase, file, and what to write on the paper form. */
export async function storeKey(
  terminal: Terminal,
  key: PrivateKey,
  options: { readonly out?: string; readonly ownPassphrase?: boolean },
): Promise<void> {
  const path = options.out ?? `${key.publicKey.address}.pem`;
  await checkNewFile(path);
  const passphrase = options.ownPassphrase ? await askOwnPassphrase(terminal) : await givePassphrase(terminal, key);
  try {
    await writeNewFile(path, await encryptPem(key, passphrase));
    using stored = decryptPem((await readSmallFile(path)).toString("utf8"), passphrase);
    if (stored.publicKey.address !== key.publicKey.address) {
      throw new KeyError("mismatch", `${path} does not hold the key that was written. Destroy this drive.`);
    }
  } finally {
    passphrase.fill(0);
  }
  terminal.say("The key is written, and was read back and opened. Add these lines to the paper form:");
  terminal.print(table([...identity(key.publicKey), ["File", path]]));
  terminal.say(`Now copy the file to a second drive, and try the paper: ${ownCommand(`keys check ${path}`)}`);
}

/** Makes a passphrase, shows it for copying, and has it typed back from the paper until that is right. */
async function givePassphrase(terminal: Terminal, key: PrivateKey): Promise<Buffer> {
  const passphrase = makePassphrase();
  for (;;) {
    await terminal.showBriefly(paperForm(key, passphrase), () => terminal.ask("Copied? Press Enter to hide it. "));
    const typed = await terminal.askSecret("Type the passphrase from the paper: ");
    const read = readTyped(typed);
    typed.fill(0);
    if (read.form === "made") {
      const isSame = read.passphrase.equals(passphrase);
      read.passphrase.fill(0);
      if (isSame) return passphrase;
    }
    terminal.say(`That is not the passphrase that was shown. ${read.form === "made" ? "" : hintOf(read)}`);
    await terminal.ask("Press Enter to see it again and mend the paper. ");
  }
}

/** What is copied onto paper. The line of kinds tells 0 from D, 2 from Z, 5 from S and 8 from B in any handwriting. */
function paperForm(key: PrivateKey, passphrase: Uint8Array): string {
  return `Copy this onto paper, by hand, with both lines of the passphrase. No photograph, no printer, no file. Keep the paper and the drive in different places.

${table([
  ["Address", key.publicKey.address],
  ["Passphrase", Buffer.from(passphrase).toString("latin1")],
  ["", kinds(passphrase)],
])}

N stands under a number, L under a letter. There is no letter I, L, O or U in it. The dashes belong to it when you open the file with openssl.
`;
}

async function askOwnPassphrase(terminal: Terminal): Promise<Buffer> {
  for (;;) {
    const first = await terminal.askSecret("Your passphrase: ");
    const fault = faultOfOwnPassphrase(first);
    if (fault !== undefined) {
      first.fill(0);
      terminal.say(fault);
      continue;
    }
    const second = await terminal.askSecret("The same again: ");
    const isSame = first.equals(second);
    second.fill(0);
    if (isSame) return first;
    first.fill(0);
    terminal.say("The two differ. Type them again.");
  }
}
