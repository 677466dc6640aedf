import { Command } from "commander";
import { readPublicKey } from "../../keys/pkcs11/ec-key.ts";
import type { TokenKeyInfo } from "../../keys/pkcs11/messages.ts";
import { nameOf } from "../../keys/pkcs11/selection.ts";
import { EncodingError } from "../../tezos/crypto/base58.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";
import { facts, identity } from "../ceremony/key-identity.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";
import { configOption, withToken } from "./open-token.ts";

/** Defines `token list`. */
export function listCommand(io: Io): Command {
  const command = new Command("list")
    .summary("show the keys of the token")
    .description(
      "Shows the EC keys of the token that may sign: address, label, id; and why one of them cannot be used.",
    )
    .addOption(configOption())
    .option("--json", "print them as JSON")
    .action(async ({ config, json }: { config: string; json?: true }) => {
      using terminal = new Terminal(io);
      const { keys, skipped } = await withToken(config, (ask) => ask("find", null));
      const found = [...keys.map(read), ...skipped.map(({ label, id, reason }) => ({ label, id, problem: reason }))];
      if (json) {
        terminal.printJson(
          found.map(({ publicKey, ...key }: FoundKey) => ({ ...key, ...(publicKey && facts(publicKey)) })),
        );
        return;
      }
      const blocks = found.map(describe);
      terminal.print(blocks.join("\n\n"));
      if (blocks.length === 0) terminal.say("The token has no EC key that may sign.");
    });
  return withExamples(command, "tezos-signer token list --config /etc/tezos-signer/settings.yaml");
}

/** A key that was found: its public key, or why it cannot be used. */
interface FoundKey {
  readonly label: string;
  readonly id: string;
  readonly publicKey?: PublicKey;
  readonly problem?: string;
}

function read({ label, id, params, point }: TokenKeyInfo): FoundKey {
  try {
    return { label, id, publicKey: readPublicKey(params, point) };
  } catch (error) {
    if (error instanceof EncodingError) return { label, id, problem: error.message };
    throw error;
  }
}

function describe({ label, id, publicKey, problem }: FoundKey): string {
  if (publicKey === undefined) return `${nameOf({ label, id })}\n  cannot be used: ${problem}`;
  const [[, address], ...rows] = identity(publicKey) as [[string, string]];
  // A label is whatever somebody wrote on the token: with an end of line in it, it would show another key's rows.
  return `${address}\n${table([["Label", label.replaceAll("\n", "\u{fffd}")], ["Id", id], ...rows])}`;
}
