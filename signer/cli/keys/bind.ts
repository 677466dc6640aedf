import type { KeyClient } from "@azure/keyvault-keys";
import { Command, Option } from "commander";
import { STORE_TAG } from "../../contract.ts";
import { isStore } from "../../keys/azure-key-vault/binding.ts";
import { type KeyVersion, keyVersions } from "../ceremony/key-versions.ts";
import { nameOption, vaultOption } from "../ceremony/options.ts";
import { parseStoreId } from "../ceremony/store-id.ts";
import { type Connect, findKey, getKey, perform, publicKeyOf } from "../ceremony/vault-access.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

interface BindOptions {
  readonly vault: string;
  readonly name: string;
  readonly store: string;
}

/** Defines `keys bind`. */
export function bindCommand(io: Io, connect: Connect): Command {
  const command = new Command("bind")
    .summary("name the watermark store that guards a key")
    .description(
      "Writes into the vault which watermark store guards a key, in whatever names and versions it lies there. A signer refuses a key that names another store than its own, or several. Do it after the old signer is stopped for good and what it signed is in this store.",
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
  const { versions, unread } = await keyVersions(client);
  const same = versions.filter((version) => version.address === address);
  const pending = same.filter(({ tags }) => tags[STORE_TAG] !== store);
  if (pending.length === 0) {
    terminal.say(`The key ${name} (${address}) is bound to the store ${store} already. Nothing was changed.`);
    return;
  }
  terminal.say(`The key ${name} is that of\n  ${address}\n${guards(same)}`);
  if (unread.length > 0) {
    terminal.warn(`it is not known whether these are the same key, for they cannot be read: ${unread.join(", ")}`);
  }
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
  for (const [done, version] of pending.entries()) await bindVersion(client, version, store, pending.length - done);
  terminal.print(
    table([["Address", address], ...same.map(({ id }) => ["Key id", id] as const), ["Watermark store", store]]),
  );
}

/** Which stores guard the versions of a key. */
function guards(versions: readonly KeyVersion[]): string {
  const storeOf = ({ tags }: KeyVersion) => {
    const tag = tags[STORE_TAG];
    return isStore(tag) ? `The store ${tag} guards it now.` : "No store guards it yet.";
  };
  const [first, ...others] = versions;
  if (first !== undefined && others.length === 0) return storeOf(first);
  const lines = versions.map(
    (version) => `  ${version.id}${version.isEnabled ? "" : " (disabled)"}: ${storeOf(version)}`,
  );
  return `The vault holds it ${versions.length} times, and binds all of them:\n${lines.join("\n")}`;
}

/** @param left how many versions are to be bound still, this one included */
async function bindVersion(client: KeyClient, version: KeyVersion, store: string, left: number): Promise<void> {
  const { name, tags } = version;
  const vault = client.vaultUrl;
  try {
    // An update replaces all tags, so the others go along.
    await perform({ vault, permission: "update", name }, () =>
      client.updateKeyProperties(name, version.version, { tags: { ...tags, [STORE_TAG]: store } }),
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const rest = `${left} of the key's versions ${left === 1 ? "is" : "are"} not bound yet, and until all name one store, no signer serves it. Run the command again.`;
    throw new Failure(error.exit, `${error.message} ${rest}`, { cause: error });
  }
  const after = (await findKey(client, name, version.version))?.properties.tags?.[STORE_TAG];
  if (after !== store) {
    throw new Failure(
      "mismatch",
      `The vault now names the store ${after} for ${version.id}. Someone else bound the key at the same time.`,
    );
  }
}
