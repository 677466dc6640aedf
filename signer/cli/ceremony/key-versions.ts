import type { KeyClient, KeyProperties } from "@azure/keyvault-keys";
import { STORE_TAG } from "../../contract.ts";
import { bindingOf, isStore } from "../../keys/azure-key-vault/binding.ts";
import { tezosKeyOf } from "../../keys/azure-key-vault/key-selection.ts";
import { Failure } from "../failure.ts";
import { findKey, perform } from "./vault-access.ts";

/** A version of a Tezos key in a vault. */
export interface KeyVersion {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly address: string;
  readonly isEnabled: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Reads every version of every Tezos key of a vault, disabled ones too: one key may lie there more than once.
 * @returns also the ids of what could not be read, so that it may be any key
 * @throws Failure where the keys or their versions cannot be listed
 */
export async function keyVersions(client: KeyClient): Promise<{ versions: KeyVersion[]; unread: string[] }> {
  const versions: KeyVersion[] = [];
  const unread: string[] = [];
  for (const { name, version = "", id = "", enabled, tags = {} } of await listVersions(client)) {
    const key = await findKey(client, name, version).catch((error: unknown) => {
      if (error instanceof Failure) return error;
      throw error;
    });
    if (key instanceof Failure) unread.push(id);
    else if (key !== undefined) {
      const address = tezosKeyOf(key)?.address;
      if (address !== undefined) versions.push({ id, name, version, address, isEnabled: enabled !== false, tags });
    }
  }
  return { versions, unread };
}

/** Says of each key that lies in a vault more than once, bound to different watermark stores, what is wrong and what to do. */
export function bindingConflicts(versions: readonly KeyVersion[]): string[] {
  const tagged = versions.flatMap(({ id, address, isEnabled, tags }) => {
    const storeId = tags[STORE_TAG];
    return isStore(storeId) ? { id, address, isEnabled, storeId } : [];
  });
  const addresses = [...new Set(tagged.map(({ address }) => address))];
  const stores = { own: new Map<string, string>(), tagged, unread: [] };
  return addresses.flatMap(
    (address) => bindingOf({ id: "", publicKey: { address } }, stores, undefined).conflict ?? [],
  );
}

async function listVersions(client: KeyClient): Promise<KeyProperties[]> {
  return await perform({ vault: client.vaultUrl, permission: "list" }, async () => {
    const all: KeyProperties[] = [];
    for await (const { name } of client.listPropertiesOfKeys()) {
      for await (const version of client.listPropertiesOfKeyVersions(name)) all.push(version);
    }
    return all;
  });
}
