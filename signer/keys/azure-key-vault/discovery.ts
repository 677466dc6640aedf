import type { KeyClient, KeyProperties, KeyVaultKey } from "@azure/keyvault-keys";
import { atOnce } from "../../at-once.ts";
import { STORE_TAG } from "../../contract.ts";
import { isStore, type StoreTags, type TaggedVersion, type UnreadVersion } from "./binding.ts";
import { faultOfError, VaultFault } from "./fault.ts";
import { type KeySelector, toUsableKey, type UsableKey } from "./key-selection.ts";
import { VaultReader } from "./vault-reader.ts";

/** How many keys are asked for at once. */
const PARALLEL = 8;

/** What was found out about one key of the vault. */
export type Finding =
  | { readonly name: string; readonly outcome: "usable"; readonly key: UsableKey }
  | { readonly name: string; readonly outcome: "skipped"; readonly reason: string }
  | { readonly name: string; readonly outcome: "failed"; readonly fault: VaultFault };

/** What one look at the vault showed. */
export interface VaultView {
  /** The keys that are wanted. */
  readonly findings: readonly Finding[];
  /** Which watermark stores the vault's keys name, wanted or not. */
  readonly stores: StoreTags;
}

/** Whether a version that is in use may stay so. */
export type Confirmation = "usable" | "unknown" | { readonly gone: string };

/** What the lists show of a key. */
interface Listed {
  readonly item: KeyProperties;
  readonly versions: readonly KeyProperties[] | VaultFault;
}

/** Reads which keys of a vault can sign, and which store guards each. One broken key is one finding and hides no other. */
export class Discovery {
  readonly #client: KeyClient;
  readonly #reader: VaultReader;

  constructor(client: KeyClient) {
    this.#client = client;
    this.#reader = new VaultReader(client);
  }

  /**
   * Looks at every key, since one that is not wanted may be the same as one that is, and name another store.
   * @throws VaultFault if the keys cannot be listed
   */
  async look(include: "all" | readonly KeySelector[], signal: AbortSignal): Promise<VaultView> {
    const items = await this.#reader.list(signal);
    const listed = await atOnce(PARALLEL, items, async (item): Promise<Listed> => {
      const versions = await this.#reader.versions(item, signal).catch(faultOfError);
      return { item, versions };
    });
    const byName = new Map(listed.map((key) => [key.item.name, key]));
    const wanted = include === "all" ? items.map(({ name }) => ({ name })) : include;
    const findings = await atOnce(PARALLEL, wanted, (selector) =>
      this.#find(selector, byName.get(selector.name), signal),
    );
    return { findings, stores: await this.#stores(listed, signal) };
  }

  /** Reads a version that is in use and was not found again. */
  async confirm({ name, version }: UsableKey, signal: AbortSignal): Promise<Confirmation> {
    try {
      const found = toUsableKey(await this.#client.getKey(name, { version, abortSignal: signal }), Date.now());
      return "unusable" in found ? { gone: found.unusable } : "usable";
    } catch (error) {
      const { kind } = faultOfError(error);
      return kind === "key-missing" ? { gone: "it is not in the vault any more" } : "unknown";
    }
  }

  /** Reads every key anew next time. */
  forget(): void {
    this.#reader.forget();
  }

  async #find({ name, version }: KeySelector, listed: Listed | undefined, signal: AbortSignal): Promise<Finding> {
    try {
      const { item, versions } = listed ?? {};
      if (versions instanceof VaultFault) throw versions;
      const key =
        version === undefined
          ? await this.#newestEnabled(name, item, versions, signal)
          : await this.#enabled(name, version, versions, signal);
      const found = key === undefined ? { unusable: "it is disabled" } : toUsableKey(key, Date.now());
      if ("unusable" in found) return { name, outcome: "skipped", reason: found.unusable };
      return { name, outcome: "usable", key: found };
    } catch (error) {
      return { name, outcome: "failed", fault: faultOfError(error) };
    }
  }

  /** The current version; if it is disabled, the newest that is not. A disabled one need not be readable. */
  async #newestEnabled(
    name: string,
    item: KeyProperties | undefined,
    versions: readonly KeyProperties[] = [],
    signal: AbortSignal,
  ): Promise<KeyVaultKey | undefined> {
    if (item?.enabled !== false) {
      const current = await this.#reader.read(name, undefined, item, signal);
      if (current.properties.enabled !== false) return current;
    }
    const newest = versions
      .filter((shown) => shown.enabled !== false)
      .sort((a, b) => (b.createdOn?.getTime() ?? 0) - (a.createdOn?.getTime() ?? 0))[0];
    return newest && this.#reader.read(name, newest.version, newest, signal);
  }

  async #enabled(
    name: string,
    version: string,
    versions: readonly KeyProperties[] = [],
    signal: AbortSignal,
  ): Promise<KeyVaultKey | undefined> {
    const shown = versions.find((other) => other.version === version);
    return shown?.enabled === false ? undefined : this.#reader.read(name, version, shown, signal);
  }

  /** Reads the tags of all versions, disabled ones too, and the public keys of those that name a store. */
  async #stores(listed: readonly Listed[], signal: AbortSignal): Promise<StoreTags> {
    const own = new Map<string, string>();
    const tagged: TaggedVersion[] = [];
    const unread: UnreadVersion[] = [];
    const naming: KeyProperties[] = [];
    for (const { item, versions } of listed) {
      if (versions instanceof VaultFault) unread.push({ id: item.name, fault: versions });
      for (const shown of versions instanceof VaultFault ? [] : versions) {
        const tag = shown.tags?.[STORE_TAG];
        if (tag !== undefined) own.set(shown.id ?? "", tag);
        if (isStore(tag)) naming.push(shown);
      }
    }
    const publicKeys = await atOnce(PARALLEL, naming, (shown) =>
      this.#reader.publicKey(shown, signal).catch(faultOfError),
    );
    for (const [index, { id = "", enabled }] of naming.entries()) {
      const publicKey = publicKeys[index];
      const storeId = own.get(id) ?? "";
      if (publicKey instanceof VaultFault) unread.push({ id, storeId, fault: publicKey });
      else if (publicKey !== undefined) {
        tagged.push({ id, address: publicKey.address, storeId, isEnabled: enabled !== false });
      }
    }
    return { own, tagged, unread };
  }
}
