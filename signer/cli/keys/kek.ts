import type { KeyVaultKey } from "@azure/keyvault-keys";
import { Command, Option } from "commander";
import { formatKek, type Kek, parseKek } from "../../key-files/byok.ts";
import { checkNewFile, writeNewFile } from "../../key-files/key-file.ts";
import { parseKeyName, vaultOption } from "../ceremony/options.ts";
import { type Connect, findKey, getKey, perform } from "../ceremony/vault-access.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

interface KekOptions {
  readonly vault: string;
  readonly name: string;
  readonly out: string;
}

/** Defines `keys kek create` and `keys kek show`. */
export function kekCommand(io: Io, connect: Connect): Command {
  const create = new Command("create")
    .summary("make a key exchange key in the vault")
    .description(
      "Makes a key exchange key (KEK) in the vault's HSM: RSA of 4096 bits, usable for importing keys and nothing else. Writes its public half to a file and shows its fingerprint.",
    )
    .action(async (options: KekOptions) => {
      using terminal = new Terminal(io);
      await checkNewFile(options.out);
      const client = await connect(options.vault);
      if ((await findKey(client, options.name)) !== undefined) {
        throw new Failure(
          "exists",
          `The vault has a key ${options.name} already. If it is the key exchange key, use: keys kek show --name ${options.name}`,
        );
      }
      const made = await perform({ vault: options.vault, permission: "create", name: options.name }, () =>
        client.createRsaKey(options.name, { hsm: true, keySize: 4096, keyOps: ["import"] }),
      );
      await giveKek(terminal, made, options);
    });
  const show = new Command("show")
    .summary("fetch a key exchange key from the vault")
    .description("Writes the public half of the vault's key exchange key (KEK) to a file and shows its fingerprint.")
    .action(async (options: KekOptions) => {
      using terminal = new Terminal(io);
      await checkNewFile(options.out);
      await giveKek(terminal, await getKey(await connect(options.vault), options.name), options);
    });
  for (const command of [create, show]) {
    command
      .addOption(vaultOption())
      .addOption(new Option("--name <name>", "the KEK's name").argParser(parseKeyName).default("import-kek"))
      .option("--out <file>", "the file to write", "kek.json");
    withExamples(command, `tezos-signer keys kek ${command.name()} --vault https://NAME.vault.azure.net`);
  }
  const command = new Command("kek")
    .summary("the vault's key exchange key, for importing")
    .description("Makes or fetches the vault's key exchange key (KEK), which `keys wrap` encrypts a key with.")
    .addCommand(create)
    .addCommand(show);
  return withExamples(command, "tezos-signer keys kek create --vault https://NAME.vault.azure.net");
}

async function giveKek(terminal: Terminal, key: KeyVaultKey, options: KekOptions): Promise<void> {
  const { text, kek } = kekOf(key);
  await writeNewFile(options.out, text);
  terminal.say("Write the fingerprint on paper. `keys wrap` asks for it on the offline computer.");
  terminal.print(
    table([
      ["KEK", kek.kid],
      ["Fingerprint", kek.fingerprint],
      ["File", options.out],
    ]),
  );
}

/** Takes a vault's RSA key as a KEK. @throws KeyError if it may be used for anything but importing */
export function kekOf(key: KeyVaultKey): { readonly text: string; readonly kek: Kek } {
  const { kty = "", keyOps = [], n = new Uint8Array(), e = new Uint8Array() } = key.key ?? {};
  const text = formatKek({ kid: key.id ?? "", kty, key_ops: keyOps, n, e });
  return { text, kek: parseKek(text) };
}
