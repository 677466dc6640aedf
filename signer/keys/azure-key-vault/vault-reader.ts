import type { KeyClient, KeyProperties, KeyVaultKey } from "@azure/keyvault-keys";
import { STORE_TAG } from "../../contract.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";
import { faultOfError } from "./fault.ts";
import { tezosKeyOf } from "./key-selection.ts";

/** What changed so shortly before it was read may change again unseen, in seconds. */
const RESOLUTION = 5;

/**
 * Reads the keys of a vault, and asks no more than it must while nothing changes: the list of keys shows the tags and times
 * of each key's current version, a list of versions those of them all, and the public key of a version never changes.
 */
export class VaultReader {
  readonly #client: KeyClient;
  /** Keys of a single version, by name: the list of keys shows such a version as a whole. */
  readonly #single = new Map<string, { readonly cacheKey: string; readonly version: KeyProperties }>();
  /** Versions as last read, by name and version. */
  readonly #read = new Map<string, { readonly cacheKey: string; readonly key: KeyVaultKey }>();
  /** The public key of each version that was ever read, by id; undefined for what is no Tezos key. */
  readonly #publicKeys = new Map<string, PublicKey | undefined>();
  /** Disabled versions that the vault did not let us read, by id, as they were then. */
  readonly #hidden = new Map<string, string | undefined>();

  constructor(client: KeyClient) {
    this.#client = client;
  }

  /** Lists the vault's keys, each as its current version. @throws VaultFault */
  async list(signal: AbortSignal): Promise<KeyProperties[]> {
    const listed: KeyProperties[] = [];
    for await (const page of this.#client.listPropertiesOfKeys({ abortSignal: signal }).byPage()) listed.push(...page);
    return listed;
  }

  /** Lists the versions of a key, disabled ones too. @param item what the list of keys shows of it @throws VaultFault */
  async versions(item: KeyProperties, signal: AbortSignal): Promise<readonly KeyProperties[]> {
    const { name } = item;
    const cacheKey = cacheKeyOf(item);
    const single = this.#single.get(name);
    if (cacheKey !== undefined && single?.cacheKey === cacheKey) return [single.version];
    this.#single.delete(name);
    const versions: KeyProperties[] = [];
    for await (const each of this.#client.listPropertiesOfKeyVersions(name, { abortSignal: signal }))
      versions.push(each);
    const [version, ...others] = versions;
    if (cacheKey !== undefined && version !== undefined && others.length === 0) {
      this.#single.set(name, { cacheKey, version });
    }
    return versions;
  }

  /**
   * Reads a version of a key, or its current one.
   * @param shown what a list shows of that version: it is not read again while this stays
   * @throws VaultFault
   */
  async read(
    name: string,
    version: string | undefined,
    shown: KeyProperties | undefined,
    signal: AbortSignal,
  ): Promise<KeyVaultKey> {
    const path = `${name}/${version ?? ""}`;
    const cacheKey = shown === undefined ? undefined : cacheKeyOf(shown);
    const kept = this.#read.get(path);
    if (cacheKey !== undefined && kept?.cacheKey === cacheKey) return kept.key;
    this.#read.delete(path);
    const key = await this.#client.getKey(name, { ...(version === undefined ? {} : { version }), abortSignal: signal });
    if (cacheKey !== undefined) this.#read.set(path, { cacheKey, key });
    if (key.id !== undefined) this.#publicKeys.set(key.id, tezosKeyOf(key));
    return key;
  }

  /**
   * Returns the public key of a version, which is read once.
   * @returns undefined where it is no Tezos key, where it has gone meanwhile, and for a disabled version that the vault does
   *   not let anybody read: it cannot sign, and is read as soon as it is enabled
   * @throws VaultFault
   */
  async publicKey(shown: KeyProperties, signal: AbortSignal): Promise<PublicKey | undefined> {
    const { id = "", name, version, enabled } = shown;
    if (this.#publicKeys.has(id)) return this.#publicKeys.get(id);
    const cacheKey = cacheKeyOf(shown);
    if (cacheKey !== undefined && this.#hidden.get(id) === cacheKey) return undefined;
    try {
      return tezosKeyOf(await this.read(name, version, shown, signal));
    } catch (error) {
      const fault = faultOfError(error);
      if (fault.kind === "key-missing") return undefined;
      if (fault.kind !== "key-disabled" || enabled !== false) throw fault;
      this.#hidden.set(id, cacheKey);
      return undefined;
    }
  }

  /** Reads every list and every key anew next time, but for public keys, which never change. */
  forget(): void {
    this.#single.clear();
    this.#read.clear();
    this.#hidden.clear();
  }
}

/**
 * Makes a text that changes when the key changes; undefined within 5 s of an update, since Key Vault's times are whole
 * seconds. The store's tag is part of it: nothing hangs on a clock there.
 */
function cacheKeyOf({ updatedOn, createdOn, enabled, tags = {} }: KeyProperties): string | undefined {
  if (updatedOn === undefined || Date.now() - updatedOn.getTime() < RESOLUTION * 1_000) return undefined;
  return `${createdOn?.getTime()} ${updatedOn.getTime()} ${enabled} ${tags[STORE_TAG]}`;
}
