import type { JsonWebKey, KeyClient } from "@azure/keyvault-keys";
import { Command, Option } from "commander";
import { STORE_TAG } from "../../contract.ts";
import { type Blob, checkBlobLength, parseBlob, readKeyId } from "../../key-files/byok.ts";
import { readSmallFile } from "../../key-files/key-file.ts";
import type { PrivateKey } from "../../key-files/private-key.ts";
import { decode, EncodingError } from "../../tezos/crypto/base58.ts";
import type { Curve } from "../../tezos/crypto/curve.ts";
import { importKey } from "../ceremony/import-key.ts";
import { openKeyFile } from "../ceremony/key-input.ts";
import { keyVersions } from "../ceremony/key-versions.ts";
import { nameOption, vaultOption } from "../ceremony/options.ts";
import { parseStoreId } from "../ceremony/store-id.ts";
import { type Connect, findKey } from "../ceremony/vault-access.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { kekOf } from "./kek.ts";

interface ImportOptions {
  readonly vault: string;
  readonly name: string;
  readonly store?: string;
  readonly pem?: string;
  readonly exposeKey?: boolean;
}

/** Defines `keys import`. */
export function importCommand(io: Io, connect: Connect): Command {
  const command = new Command("import")
    .summary("bring a wrapped key into the vault's HSM")
    .description(
      "Imports a key that `keys wrap` encrypted for this vault. In the vault it can sign and nothing else, and it never leaves the HSM. Asks whether the key has ever signed elsewhere; until a watermark store is bound to it, no signer uses it.",
    )
    .argument("[blob]", "the file that `keys wrap` wrote")
    .addOption(vaultOption())
    .addOption(nameOption())
    .addOption(
      new Option(
        "--store <id>",
        "the watermark store that is to guard a new key: pulumi stack output watermarkStoreId",
      ).argParser(parseStoreId),
    )
    .option("--pem <file>", "import a key file without wrapping; only with --expose-key")
    .option("--expose-key", "accept that the key lies in this online computer's memory")
    .action(async (file: string | undefined, options: ImportOptions) => {
      using terminal = new Terminal(io);
      const client = await connect(options.vault);
      if (options.pem !== undefined) await importPem(terminal, client, options, options.pem, file);
      else await importBlob(terminal, client, options, file);
    });
  return withExamples(
    command,
    "tezos-signer keys import tz3….byok --name baker \\\n    --vault https://NAME.vault.azure.net --store 5f0c2a9e17d34b68",
  );
}

async function importBlob(terminal: Terminal, client: KeyClient, options: ImportOptions, file?: string): Promise<void> {
  if (file === undefined) {
    throw new Failure("usage", "Name the file that `keys wrap` wrote. Nothing was imported.");
  }
  const text = (await readSmallFile(file)).toString("utf8");
  const blob = parseBlob(text);
  await refuseTaken(client, options.name);
  await checkKek(client, blob);
  const address = await askAddress(terminal, blob.address);
  const { curve } = curveOf(address);
  const isNew = await isNewKey(terminal, client, address);
  terminal.release();
  const jwk = { kty: "EC-HSM", crv: curve, keyOps: ["sign"], t: Buffer.from(text) } satisfies JsonWebKey;
  await importKey(terminal, client, options, { address, jwk, isNew });
}

async function importPem(
  terminal: Terminal,
  client: KeyClient,
  options: ImportOptions,
  pem: string,
  file?: string,
): Promise<void> {
  if (file !== undefined) throw new Failure("usage", "Give either a wrapped key or --pem, not both.");
  if (!options.exposeKey) {
    throw new Failure(
      "usage",
      "--pem puts the unencrypted key into the memory of this online computer and through its network stack, which `keys wrap` avoids. If you accept that, for a test network say, add --expose-key. Nothing was imported.",
    );
  }
  await refuseTaken(client, options.name);
  terminal.warn(
    "the key will be in this computer's memory in the clear. Do not do this with a key that guards money: `keys wrap` on an offline computer needs no trust in this one.",
  );
  using key = await openKeyFile(terminal, pem);
  const { address } = key.publicKey;
  await askAddress(terminal, address);
  const isNew = await isNewKey(terminal, client, address);
  terminal.release();
  const jwk = clearJwk(key);
  try {
    await importKey(terminal, client, options, { address, jwk, isNew, hardwareProtected: true });
  } finally {
    jwk.d?.fill(0);
  }
}

function clearJwk(key: PrivateKey): JsonWebKey {
  const [x, y] = key.coordinates();
  return { kty: "EC", crv: key.publicKey.curve, keyOps: ["sign"], x, y, d: key.withScalar((scalar) => scalar.slice()) };
}

/** An import to a name that is taken would become its newest version: another key under the old one's name. */
async function refuseTaken(client: KeyClient, name: string): Promise<void> {
  if ((await findKey(client, name)) === undefined) return;
  throw new Failure("exists", `The vault has a key ${name} already. Choose another name. Nothing was imported.`);
}

/** Whether the blob can open here at all, before anybody is asked anything. */
async function checkKek(client: KeyClient, blob: Blob): Promise<void> {
  const kid = readKeyId(blob.kid);
  const { host } = new URL(client.vaultUrl);
  if (kid === undefined) {
    throw new Failure(
      "unusable",
      "The blob does not say which key exchange key it is wrapped for. Wrap the key again.",
    );
  }
  if (kid.host !== host) {
    throw new Failure(
      "mismatch",
      `The blob is wrapped for the vault ${kid.host}, and only that one can open it; this is ${host}. Wrap the key again with a KEK of this vault. Nothing was imported.`,
    );
  }
  const { name, version } = kid;
  const key = await findKey(client, name, version);
  if (key === undefined) {
    throw new Failure(
      "mismatch",
      `The blob is wrapped for the key exchange key ${name}/${version}, which the vault ${host} no longer has. Wrap the key again with the present one (keys kek show). Nothing was imported.`,
    );
  }
  checkBlobLength(blob, kekOf(key).kek);
}

/** The address that must come out of the vault, vouched for by the person with the paper form. */
async function askAddress(terminal: Terminal, noted: string | undefined): Promise<string> {
  if (noted === undefined) {
    return curveOf(await terminal.ask("The key's address, from the paper: ")).address;
  }
  const { address } = curveOf(noted);
  terminal.say(`This is the key of\n  ${address}`);
  await terminal.insist("Is that the address on the paper?");
  return address;
}

function curveOf(address: string): { readonly address: string; readonly curve: Curve } {
  try {
    return { address, curve: decode(address, "tz2", "tz3").prefix === "tz2" ? "P-256K" : "P-256" };
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new Failure("unusable", `That is no address of a key for a vault: ${error.message}. Nothing was imported.`);
  }
}

/** A key that the vault holds already is not new, whoever says so, and all versions of it must name one store. */
async function isNewKey(terminal: Terminal, client: KeyClient, address: string): Promise<boolean> {
  const { versions } = await keyVersions(client);
  const same = versions.filter((version) => version.address === address);
  if (same.length === 0) return await askHistory(terminal);
  const lines = same.map(({ id, tags }) => `  ${id}: ${tags[STORE_TAG] ?? "names no store"}`);
  terminal.warn(
    `the vault holds this key already. It is imported bound to no store: bind it afterwards, and all its versions with it (keys bind).\n${lines.join("\n")}`,
  );
  return false;
}

/** Two signers that do not know of each other sign two blocks for one slot: the commonest cause of slashing. */
async function askHistory(terminal: Terminal): Promise<boolean> {
  terminal.say(
    "\nHas this key ever signed anything elsewhere: in another vault, another signer, a baker, a Ledger? If it has, that signer must be stopped for good, and what it signed must be in the watermark store before this one starts. Two signers with separate memories sign two blocks for one slot, and the key is slashed.",
  );
  for (;;) {
    const answer = await terminal.ask('Type "new" if it never signed, "elsewhere" if it did: ');
    if (answer === "new") return true;
    if (answer === "elsewhere") return false;
  }
}
