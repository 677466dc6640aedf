import { Command } from "commander";
import { type PrivateKey, subjectPublicKeyInfo } from "../../key-files/private-key.ts";
import { readPublicKey } from "../../keys/pkcs11/ec-key.ts";
import type { TokenAsk } from "../../keys/pkcs11/one-time.ts";
import { ownCommand } from "../../own-command.ts";
import { normalise, verifySignature } from "../../tezos/crypto/signature.ts";
import { DRILL_DIGEST } from "../ceremony/drill-digest.ts";
import { identity } from "../ceremony/key-identity.ts";
import { openKeyFile } from "../ceremony/key-input.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";
import { newId } from "./generate.ts";
import { configOption, labelOption, withToken } from "./open-token.ts";

/** Defines `token import`. */
export function importCommand(io: Io): Command {
  const command = new Command("import")
    .summary("bring a key file onto the token")
    .description(
      "Opens a key file and makes the same key on the token, where it can sign and never leaves. The key is in this computer's memory meanwhile. The token then signs a text that is no Tezos request, and the signature must be the key's. Many HSMs take no private key in the clear; their vendors' tools may.",
    )
    .argument("<file>", "a key file of this tool, of openssl, or of octez")
    .addOption(configOption())
    .addOption(labelOption())
    .action(async (file: string, { config, label }: { config: string; label: string }) => {
      using terminal = new Terminal(io);
      using key = await openKeyFile(terminal, file);
      terminal.release();
      const id = newId();
      await withToken(config, (ask) => importAndCompare(ask, key, { label, id }));
      terminal.say("The key is on the token, and what the token signed with it is this key's:");
      terminal.print(table([...identity(key.publicKey), ["Label", label], ["Id", id]]));
      terminal.say(
        `Stop whatever signed with this key before, and bring its watermarks here: ${ownCommand("watermarks import")}`,
      );
    });
  return withExamples(command, "tezos-signer token import tz3….pem --config settings.yaml --label baker");
}

/** @throws Failure `mismatch` where the token has another key than was sent, TokenFault where it took none */
async function importAndCompare(ask: TokenAsk, key: PrivateKey, name: { label: string; id: string }): Promise<void> {
  const { curve, address } = key.publicKey;
  const point = Uint8Array.from(subjectPublicKeyInfo(key.publicKey).subarray(-65));
  const scalar = key.withScalar((copy) => Uint8Array.from(copy));
  try {
    await ask("import", { ...name, curve, scalar, point });
  } finally {
    scalar.fill(0);
  }
  const found = (await ask("find", null)).keys.find(({ id }) => id === name.id);
  if (found === undefined) throw wrong(name.label, "does not show it");
  const shown = readPublicKey(found.params, found.point);
  if (shown.address !== address) throw wrong(name.label, `shows ${shown.address} for ${address}`);
  const signature = await ask("sign", { point: Buffer.from(found.point).toString("hex"), digest: DRILL_DIGEST });
  const isOwn = signature.length === 64 && verifySignature(shown, DRILL_DIGEST, normalise(curve, signature));
  if (!isOwn) throw wrong(name.label, "signs with another key than it shows");
}

function wrong(label: string, what: string): Failure {
  return new Failure("mismatch", `The token took ${label}, but ${what}. Delete it there by the vendor's tool.`);
}
