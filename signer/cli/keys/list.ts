import type { KeyClient, KeyProperties, KeyVaultKey } from "@azure/keyvault-keys";
import { Command } from "commander";
import { STORE_TAG, UNBOUND } from "../../contract.ts";
import { bindingConflicts, keyVersions } from "../ceremony/key-versions.ts";
import { vaultOption } from "../ceremony/options.ts";
import { type Connect, getKey, perform, publicKeyOf } from "../ceremony/vault-access.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

/** `keys list` */
export function listCommand(io: Io, connect: Connect): Command {
  const command = new Command("list")
    .summary("show the keys of a vault")
    .description(
      "Shows the Tezos keys of a vault: address, id, curve, protection, allowed operations, watermark store, and what the HSM attests. Warns where one key names several stores.",
    )
    .addOption(vaultOption())
    .action(async ({ vault }: { vault: string }) => {
      using terminal = new Terminal(io);
      const client = await connect(vault);
      const all = await perform({ vault, permission: "list" }, () => listKeys(client));
      let count = 0;
      for (const properties of all) {
        const lines = await describe(client, properties);
        if (lines === undefined) continue;
        terminal.print(count++ === 0 ? lines : `\n${lines}`);
      }
      const { versions } = await keyVersions(client);
      for (const conflict of bindingConflicts(versions)) terminal.warn(conflict);
      if (count === 0) terminal.say(`The vault ${new URL(vault).host} has no Tezos key.`);
    });
  return withExamples(command, "tezos-signer keys list --vault https://NAME.vault.azure.net");
}

async function listKeys(client: KeyClient): Promise<KeyProperties[]> {
  const all: KeyProperties[] = [];
  for await (const properties of client.listPropertiesOfKeys()) all.push(properties);
  return all;
}

/** Describes one key in lines; undefined for a key that is of no use to Tezos. Unreadable keys are listed with their error. */
async function describe(client: KeyClient, properties: KeyProperties): Promise<string | undefined> {
  let key: KeyVaultKey;
  try {
    key = await getKey(client, properties.name);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `${properties.name}\n  not readable: ${error.message.split("\n")[0]}`;
  }
  if (!key.keyType?.startsWith("EC")) return undefined;
  const { address, curve } = publicKeyOf(key);
  const rows: [string, string][] = [
    ["key id", key.id ?? ""],
    ["curve", key.key?.crv === curve ? curve : `${curve}, named ${key.key?.crv}`],
    ["protection", protection(key)],
    ["operations", key.keyOperations?.join(", ") ?? ""],
    ["enabled", key.properties.enabled === false ? "no" : "yes"],
    ["watermark store", store(key)],
    ...otherTags(key),
    ["attestation", await attestation(client, key)],
  ];
  return `${address}\n${table(rows)}`;
}

/** hsmPlatform as in learn.microsoft.com/azure/key-vault/keys/about-keys-details. */
const PLATFORMS: Readonly<Record<string, string>> = {
  "0": "software",
  "1": "HSM, FIPS 140-2 level 3",
  "2": "HSM, FIPS 140-3 level 3",
};

function protection(key: KeyVaultKey): string {
  if (key.keyType !== "EC-HSM") return "software-protected (not for production)";
  return PLATFORMS[key.properties.hsmPlatform ?? ""] ?? "HSM";
}

function store(key: KeyVaultKey): string {
  const id = key.properties.tags?.[STORE_TAG];
  if (id === UNBOUND) return "none yet: no signer uses the key until `keys bind`";
  return id ?? "not named: nothing stops a second signer";
}

function otherTags(key: KeyVaultKey): [string, string][] {
  const others = Object.entries(key.properties.tags ?? {}).filter(([name]) => name !== STORE_TAG);
  return others.map(([name, value]) => [`tag ${name}`, value]);
}

async function attestation(client: KeyClient, key: KeyVaultKey): Promise<string> {
  try {
    const { properties } = await client.getKeyAttestation(key.name, { version: key.properties.version ?? "" });
    return properties.attestation === undefined ? "not given" : `given, version ${properties.attestation.version}`;
  } catch {
    return "not given";
  }
}
