import type { JsonWebKey, KeyClient, KeyVaultKey } from "@azure/keyvault-keys";
import { STORE_TAG, UNBOUND } from "../../contract.ts";
import { ownCommand } from "../../own-command.ts";
import { Failure } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { table } from "../text.ts";
import { getKey, perform, publicKeyOf } from "./vault-access.ts";

/** A key on its way into the vault: what is sent, and the address that must come out. */
export interface KeyImport {
  readonly address: string;
  readonly jwk: JsonWebKey;
  /** Whether it never signed anywhere else. */
  readonly isNew: boolean;
  /** For a key sent in the clear; a wrapped one says it by itself. */
  readonly hardwareProtected?: boolean;
}

/** Where it goes. */
export interface ImportTarget {
  readonly vault: string;
  readonly name: string;
  /** The watermark store that is to guard a new key. */
  readonly store?: string;
}

/** Imports the key unbound, so that no signer uses it yet; compares; and only then binds a new key to its store. */
export async function importKey(
  terminal: Terminal,
  client: KeyClient,
  target: ImportTarget,
  { address, jwk, isNew, hardwareProtected }: KeyImport,
): Promise<void> {
  const { vault, name, store } = target;
  const isWrapped = hardwareProtected === undefined;
  const options = { tags: { [STORE_TAG]: UNBOUND }, ...(!isWrapped && { hardwareProtected }) };
  await perform({ vault, permission: "import", name }, () => client.importKey(name, jwk, options)).catch((error) => {
    throw error instanceof Failure ? importFailure(error, isWrapped) : error;
  });
  const bound = isNew && store !== undefined;
  const key = await finish(client, target, address, bound ? store : undefined);
  terminal.say("The key is in the vault. The vault's public key gives the same address as the paper:");
  terminal.print(
    table([
      ["Address", address],
      ["Key id", key.id ?? ""],
      ["Protection", key.keyType ?? ""],
      ["Operations", key.keyOperations?.join(", ") ?? ""],
      ["Watermark store", bound ? store : "none yet"],
    ]),
  );
  if (!bound) {
    terminal.say(
      `No signer uses the key until it is bound to a watermark store:\n  ${ownCommand(`keys bind --vault ${vault} --name ${name} --store ID`)}`,
    );
  }
}

/** What a failed import means: that nothing is there, or that nobody knows. */
function importFailure(error: Failure, isWrapped: boolean): Failure {
  if (error.exit === "unusable" && isWrapped) {
    return new Failure(
      "unusable",
      `The vault could not open the wrapped key: it was wrapped for another KEK, damaged on its way, or of another curve than its address says. Wrap it again. Nothing was imported. (${error.message})`,
      { cause: error },
    );
  }
  if (error.exit === "unavailable") {
    return new Failure(
      "unavailable",
      `${error.message} Whether the key was imported before that is not known. Look with "keys list": if it is there, no signer uses it yet; compare its address with the paper and bind it (keys bind).`,
      { cause: error },
    );
  }
  return error;
}

/**
 * Compares what is in the vault with the paper, and then binds it, if to a store.
 * @throws Failure that says that the key has been imported
 */
async function finish(client: KeyClient, target: ImportTarget, address: string, store?: string): Promise<KeyVaultKey> {
  const { vault, name } = target;
  try {
    const key = await getKey(client, name);
    await compare(client, key, address, target);
    if (store !== undefined) {
      await perform({ vault, permission: "update", name }, () =>
        client.updateKeyProperties(name, key.properties.version ?? "", { tags: { [STORE_TAG]: store } }),
      );
    }
    return key;
  } catch (error) {
    if (!(error instanceof Failure) || error.exit === "mismatch") throw error;
    throw new Failure(
      error.exit,
      `The key was imported as ${name}, but no signer uses it yet, because the next step failed: ${error.message}\nWhen that is mended, compare its address with the paper (keys list), and bind it (keys bind).`,
      { cause: error },
    );
  }
}

/** What the vault holds must be what was sent; if not, the key is switched off, and it is unbound anyway. */
async function compare(
  client: KeyClient,
  key: KeyVaultKey,
  address: string,
  { vault, name }: ImportTarget,
): Promise<void> {
  const found = publicKeyOf(key).address;
  const fault =
    found !== address
      ? `the vault's key has the address ${found}, not ${address}`
      : key.keyType !== "EC-HSM"
        ? `the vault keeps it as ${key.keyType}, not in its HSM (EC-HSM); the vault must be premium`
        : key.keyOperations?.join() !== "sign"
          ? `the vault allows it ${key.keyOperations?.join(", ")}, not sign alone`
          : undefined;
  if (fault === undefined) return;
  const off = await perform({ vault, permission: "update", name }, () =>
    client.updateKeyProperties(name, key.properties.version ?? "", { enabled: false }),
  ).then(
    () => "It was disabled",
    () => "It could not be disabled; do so by hand",
  );
  throw new Failure(
    "mismatch",
    `The import went wrong: ${fault}. ${off}, and no signer uses it. Delete the key ${name}.`,
  );
}
