import type { KeyClient, KeyProperties, KeyVaultKey } from "@azure/keyvault-keys";
import { faultOfError, type VaultFault } from "./fault.ts";
import { type KeySelector, toUsableKey, type UsableKey } from "./key-selection.ts";

/** How many keys are asked for at once. */
const PARALLEL = 4;
/** What changed so shortly before it was read may change again unseen, in seconds. */
const RESOLUTION = 5;

/** What was found out about one key of the vault. */
export type Finding =
  | { readonly name: string; readonly outcome: "usable"; readonly key: UsableKey }
  | { readonly name: string; readonly outcome: "skipped"; readonly reason: string }
  | { readonly name: string; readonly outcome: "failed"; readonly fault: VaultFault };

/** Whether a version that is in use may stay so. */
export type Confirmation = "usable" | "unknown" | { readonly gone: string };

/** Reads which keys of a vault can sign. One broken key is one finding and hides no other. */
export class Discovery {
  readonly #client: KeyClient;
  /** Current versions as last read, by name, with the list item's cache key: a list is one call, a key is another. */
  readonly #read = new Map<string, { readonly cacheKey: string; readonly key: KeyVaultKey }>();

  constructor(client: KeyClient) {
    this.#client = client;
  }

  /**
   * Looks at every key that is wanted. The first call on the vault is one call and not many.
   * @throws VaultFault if the keys cannot be listed
   */
  async findings(include: "all" | readonly KeySelector[], signal: AbortSignal): Promise<Finding[]> {
    if (include !== "all") return this.#each(include, (each) => this.#find(each, undefined, signal));
    const listed: KeyProperties[] = [];
    for await (const page of this.#client.listPropertiesOfKeys({ abortSignal: signal }).byPage()) listed.push(...page);
    return this.#each(listed, (item) => this.#find({ name: item.name }, item, signal));
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
    this.#read.clear();
  }

  async #find({ name, version }: KeySelector, item: KeyProperties | undefined, signal: AbortSignal): Promise<Finding> {
    try {
      const key =
        version === undefined ? await this.#newestEnabled(name, item, signal) : await this.#get(name, version, signal);
      const found = toUsableKey(key, Date.now());
      if ("unusable" in found) return { name, outcome: "skipped", reason: found.unusable };
      return { name, outcome: "usable", key: found };
    } catch (error) {
      return { name, outcome: "failed", fault: faultOfError(error) };
    }
  }

  /** The current version; if it is disabled, the newest that is not. */
  async #newestEnabled(name: string, item: KeyProperties | undefined, signal: AbortSignal): Promise<KeyVaultKey> {
    const cacheKey = item === undefined ? undefined : cacheKeyOf(item);
    const kept = this.#read.get(name);
    if (cacheKey !== undefined && kept?.cacheKey === cacheKey) return kept.key;
    this.#read.delete(name);
    const current = await this.#get(name, undefined, signal);
    if (current.properties.enabled !== false) {
      if (cacheKey !== undefined) this.#read.set(name, { cacheKey, key: current });
      return current;
    }
    const versions: KeyProperties[] = [];
    for await (const each of this.#client.listPropertiesOfKeyVersions(name, { abortSignal: signal }))
      versions.push(each);
    const newest = versions
      .filter((each) => each.enabled !== false)
      .sort((a, b) => (b.createdOn?.getTime() ?? 0) - (a.createdOn?.getTime() ?? 0))[0];
    return newest?.version === undefined ? current : this.#get(name, newest.version, signal);
  }

  #get(name: string, version: string | undefined, signal: AbortSignal): Promise<KeyVaultKey> {
    return this.#client.getKey(name, { ...(version === undefined ? {} : { version }), abortSignal: signal });
  }

  /** Work on each, the first alone, then a few at a time; results in order. */
  async #each<Item>(items: readonly Item[], work: (item: Item) => Promise<Finding>): Promise<Finding[]> {
    const findings: Finding[] = [];
    for (let start = 0; start < items.length; start += start === 0 ? 1 : PARALLEL) {
      findings.push(...(await Promise.all(items.slice(start, start === 0 ? 1 : start + PARALLEL).map(work))));
    }
    return findings;
  }
}

/** Makes a text that changes when the key changes; undefined within 5 s of an update, since Key Vault's times are whole seconds. */
function cacheKeyOf({ updatedOn, createdOn, enabled }: KeyProperties): string | undefined {
  if (updatedOn === undefined || Date.now() - updatedOn.getTime() < RESOLUTION * 1_000) return undefined;
  return `${createdOn?.getTime()} ${updatedOn.getTime()} ${enabled}`;
}
