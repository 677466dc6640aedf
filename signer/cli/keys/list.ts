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

/** Defines `keys list`. */
export function listCommand(io: Io, connect: Connect): Command {
  const command = new Command("list")
    .summary("show the keys of a vault")
    .description(
      "Shows the Tezos keys of a vault: address, id, curve, protection, allowed operations, watermark store, and what the HSM attests. Warns where one key names several stores.",
    )
    .addOption(vaultOption())
    .option("--json", "print them as JSON")
    .action(async ({ vault, json }: { vault: string; json?: true }) => {
      using terminal = new Terminal(io);
      const client = await connect(vault);
      const all = await perform({ vault, permission: "list" }, () => listKeys(client));
      const found: ListedKey[] = [];
      for (const properties of all) {
        const key = await read(client, properties);
        if (key === undefined) continue;
        if (!json) terminal.print(found.length === 0 ? describe(key) : `\n${describe(key)}`);
        found.push(key);
      }
      const { versions } = await keyVersions(client);
      const conflicts = bindingConflicts(versions);
      for (const conflict of conflicts) terminal.warn(conflict);
      if (json) {
        terminal.printJson({ keys: found, conflicts });
        return;
      }
      const count = found.length;
      if (count === 0) terminal.say(`The vault ${new URL(vault).host} has no Tezos key.`);
    });
  return withExamples(command, "tezos-signer keys list --vault https://NAME.vault.azure.net");
}

async function listKeys(client: KeyClient): Promise<KeyProperties[]> {
  const all: KeyProperties[] = [];
  for await (const properties of client.listPropertiesOfKeys()) all.push(properties);
  return all;
}

/** A key of the vault that is of use to Tezos, or one that cannot be read. */
type ListedKey = { readonly name: string; readonly problem: string } | ReadKey;

interface ReadKey {
  readonly name: string;
  readonly address: string;
  readonly id: string;
  readonly curve: string;
  /** The curve's name in the vault. */
  readonly named: string;
  readonly protection: string;
  readonly operations: readonly string[];
  readonly enabled: boolean;
  /** The store's id, `unbound`, or null where none is named. */
  readonly watermarkStore: string | null;
  readonly otherTags: Readonly<Record<string, string>>;
  readonly attestation: string;
}

/** Reads one key; undefined for one that is of no use to Tezos. */
async function read(client: KeyClient, { name }: KeyProperties): Promise<ListedKey | undefined> {
  let key: KeyVaultKey;
  try {
    key = await getKey(client, name);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { name, problem: error.message.split("\n")[0] ?? "" };
  }
  if (!key.keyType?.startsWith("EC")) return undefined;
  const { address, curve } = publicKeyOf(key);
  const { [STORE_TAG]: store = null, ...otherTags } = key.properties.tags ?? {};
  return {
    name,
    address,
    id: key.id ?? "",
    curve,
    named: key.key?.crv ?? "",
    protection: protection(key),
    operations: key.keyOperations ?? [],
    enabled: key.properties.enabled !== false,
    watermarkStore: store,
    otherTags,
    attestation: await attestation(client, key),
  };
}

/** Describes one key in lines. */
function describe(key: ListedKey): string {
  if ("problem" in key) return `${key.name}\n  not readable: ${key.problem}`;
  const rows: [string, string][] = [
    ["key id", key.id],
    ["curve", key.named === key.curve ? key.curve : `${key.curve}, named ${key.named}`],
    ["protection", key.protection],
    ["operations", key.operations.join(", ")],
    ["enabled", key.enabled ? "yes" : "no"],
    ["watermark store", storeInWords(key.watermarkStore)],
    ...Object.entries(key.otherTags).map(([name, value]): [string, string] => [`tag ${name}`, value]),
    ["attestation", key.attestation],
  ];
  return `${key.address}\n${table(rows)}`;
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

function storeInWords(id: string | null): string {
  if (id === UNBOUND) return "none yet: no signer uses the key until `keys bind`";
  return id ?? "not named: nothing stops a second signer";
}

async function attestation(client: KeyClient, key: KeyVaultKey): Promise<string> {
  try {
    const { properties } = await client.getKeyAttestation(key.name, { version: key.properties.version ?? "" });
    return properties.attestation === undefined ? "not given" : `given, version ${properties.attestation.version}`;
  } catch {
    return "not given";
  }
}
