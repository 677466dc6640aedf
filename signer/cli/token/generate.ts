import { randomBytes } from "node:crypto";
import { Command, Option } from "commander";
import { readPublicKey } from "../../keys/pkcs11/ec-key.ts";
import type { Curve } from "../../tezos/crypto/curve.ts";
import { identity } from "../ceremony/key-identity.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";
import { configOption, labelOption, withToken } from "./open-token.ts";

/** Defines `token generate`. */
export function generateCommand(io: Io): Command {
  const command = new Command("generate")
    .summary("make a key on the token")
    .description(
      "Makes a key pair on the token, with an id of its own. The private key never leaves the token, so only what the vendor has for copies can bring it back when the token is lost.",
    )
    .addOption(configOption())
    .addOption(labelOption())
    .addOption(
      new Option("--curve <curve>", "P-256 for a tz3 address, P-256K for tz2")
        .choices(["P-256", "P-256K"])
        .makeOptionMandatory(),
    )
    .action(async ({ config, label, curve }: { config: string; label: string; curve: Curve }) => {
      using terminal = new Terminal(io);
      const id = newId();
      const key = await withToken(config, async (ask) => {
        await ask("generate", { label, id, curve });
        return (await ask("find", null)).keys.find((found) => found.id === id);
      });
      if (key === undefined)
        throw new Failure("mismatch", `The token made ${label}, but does not show it. Look with token list.`);
      terminal.say("The key is on the token, and nowhere else:");
      terminal.print(table([...identity(readPublicKey(key.params, key.point)), ["Label", label], ["Id", id]]));
    });
  return withExamples(command, "tezos-signer token generate --config settings.yaml --label baker --curve P-256");
}

/** Makes an id that no other key has: tokens pair a private key with its public one by it. */
export function newId(): string {
  return randomBytes(8).toString("hex");
}
