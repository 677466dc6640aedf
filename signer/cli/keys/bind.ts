import { Command, Option } from "commander";
import { STORE_TAG, UNBOUND } from "../../contract.ts";
import { nameOption, vaultOption } from "../ceremony/options.ts";
import { parseStoreId } from "../ceremony/store-id.ts";
import { type Connect, getKey, perform, publicKeyOf } from "../ceremony/vault-access.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

interface BindOptions {
  readonly vault: string;
  readonly name: string;
  readonly store: string;
}

/** `keys bind` */
export function bindCommand(io: Io, connect: Connect): Command {
  const command = new Command("bind")
    .summary("name the watermark store that guards a key")
    .description(
      "Writes into the vault which watermark store guards a key. A signer refuses a key that names another store than its own. Do it after the old signer is stopped for good and what it signed is in this store.",
    )
    .addOption(vaultOption())
    .addOption(nameOption())
    .addOption(
      new Option("--store <id>", "the store's id: pulumi stack output watermarkStoreId")
        .argParser(parseStoreId)
        .makeOptionMandatory(),
    )
    .action(async (options: BindOptions) => {
      using terminal = new Terminal(io);
      await bind(terminal, connect, options);
    });
  return withExamples(
    command,
    "tezos-signer keys bind --vault https://NAME.vault.azure.net \\\n    --name baker --store 5f0c2a9e17d34b68",
  );
}

async function bind(terminal: Terminal, connect: Connect, { vault, name, store }: BindOptions): Promise<void> {
  const client = await connect(vault);
  const key = await getKey(client, name);
  const { address } = publicKeyOf(key);
  const before = key.properties.tags?.[STORE_TAG];
  if (before === store) {
    terminal.say(`The key ${name} (${address}) is bound to the store ${store} already. Nothing was changed.`);
    return;
  }
  terminal.say(
    `The key ${name} is that of\n  ${address}\n${before === undefined || before === UNBOUND ? "No store guards it yet." : `The store ${before} guards it now.`}`,
  );
  terminal.say(
    "\nFirst: a signer that still runs with this key somewhere else will sign against this one, and the key is slashed. Stop it, and make sure that it does not start again by itself: disable its service, or delete its machine.",
  );
  await terminal.insist("Is every other signer of this key stopped for good?");
  terminal.say(
    "\nSecond: the new store must know what was signed so far, or it allows the same level again. On the old signer: watermarks export. On the new one: watermarks import. A key that never signed has nothing to bring.",
  );
  await terminal.insist("Are its watermarks in the new store, or did it never sign?");
  const typed = await terminal.ask("To bind it, type the last six characters of the address: ");
  if (typed !== address.slice(-6)) throw new Failure("declined", "Those are not the last six. Nothing was changed.");
  terminal.release();
  // An update replaces all tags, so the others go along.
  const tags = { ...key.properties.tags, [STORE_TAG]: store };
  await perform({ vault, permission: "update", name }, () =>
    client.updateKeyProperties(name, key.properties.version ?? "", { tags }),
  );
  const after = (await getKey(client, name)).properties.tags?.[STORE_TAG];
  if (after !== store) {
    throw new Failure(
      "mismatch",
      `The vault now names the store ${after}. Someone else bound the key at the same time.`,
    );
  }
  terminal.print(
    table([
      ["Address", address],
      ["Key id", key.id ?? ""],
      ["Watermark store", store],
    ]),
  );
}
