import { Command } from "commander";
import { readPublicKey } from "../../keys/pkcs11/ec-key.ts";
import type { TokenKeyInfo } from "../../keys/pkcs11/messages.ts";
import { nameOf } from "../../keys/pkcs11/selection.ts";
import { EncodingError } from "../../tezos/crypto/base58.ts";
import { identity } from "../ceremony/key-identity.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";
import { configOption, withToken } from "./open-token.ts";

/** `token list` */
export function listCommand(io: Io): Command {
  const command = new Command("list")
    .summary("show the keys of the token")
    .description(
      "Shows the EC keys of the token that may sign: address, label, id; and why one of them cannot be used.",
    )
    .addOption(configOption())
    .action(async ({ config }: { config: string }) => {
      using terminal = new Terminal(io);
      const { keys, skipped } = await withToken(config, (ask) => ask("find", null));
      const blocks = [
        ...keys.map(describe),
        ...skipped.map((key) => `${nameOf(key)}\n  cannot be used: ${key.reason}`),
      ];
      terminal.print(blocks.join("\n\n"));
      if (blocks.length === 0) terminal.say("The token has no EC key that may sign.");
    });
  return withExamples(command, "tezos-signer token list --config /etc/tezos-signer/settings.yaml");
}

function describe(key: TokenKeyInfo): string {
  try {
    const [[, address], ...rows] = identity(readPublicKey(key.params, key.point)) as [[string, string]];
    return `${address}\n${table([["Label", key.label], ["Id", key.id], ...rows])}`;
  } catch (error) {
    if (error instanceof EncodingError) return `${nameOf(key)}\n  cannot be used: ${error.message}`;
    throw error;
  }
}
