import { Command } from "commander";
import { encodeSignature, normalise } from "../../tezos/crypto/signature.ts";
import { DRILL_DIGEST } from "../ceremony/drill-digest.ts";
import { openKeyFile } from "../ceremony/key-input.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { drillVerifyCommand } from "./drill-verify.ts";

/** Defines the group `keys drill`. */
export function drillCommand(io: Io): Command {
  const group = new Command("drill")
    .summary("prove that the backup is the key in the vault")
    .description("Proves that the offline backup and the vault hold the same key, without bringing them together.")
    .addCommand(drillSignCommand(io))
    .addCommand(drillVerifyCommand(io));
  return withExamples(group, "tezos-signer keys drill verify --help");
}

function drillSignCommand(io: Io): Command {
  const sign = new Command("sign")
    .summary("sign the drill's text with the offline key")
    .description(
      "On the offline computer: opens the key file with the paper's passphrase and signs a fixed text that is no Tezos request. Take the printed signature to the signer's machine.",
    )
    .argument("<file>", "the key file")
    .action(async (file: string) => {
      using terminal = new Terminal(io);
      using key = await openKeyFile(terminal, file);
      const { curve, address } = key.publicKey;
      const signature = encodeSignature(curve, normalise(curve, key.sign(DRILL_DIGEST)));
      terminal.say(`Signed for ${address}:`);
      terminal.print(signature);
    });
  return withExamples(sign, "tezos-signer keys drill sign tz3….pem");
}
