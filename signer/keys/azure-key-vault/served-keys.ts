import type { Logger } from "pino";
import { UNBOUND } from "../../contract.ts";
import { ownersCommand } from "../../own-command.ts";
import { bindingOf, preferred, type StoreTags } from "./binding.ts";
import type { VaultClient } from "./client.ts";
import type { Discovery } from "./discovery.ts";
import type { VaultFault } from "./fault.ts";
import { type KeySelector, matches, type UsableKey } from "./key-selection.ts";
import { VaultKey } from "./signing-key.ts";

/** The keys that are served, each by one version, and what becomes of them when the vault was looked at. */
export class ServedKeys {
  readonly byAddress = new Map<string, VaultKey>();
  readonly #client: VaultClient;
  readonly #logger: Logger;
  readonly #onFault: (fault: VaultFault) => void;
  /** What each key named last, by address: also of keys that are gone and may come back by another name. */
  readonly #storeIds = new Map<string, string>();

  /** @param onFault told of whatever ends a signature */
  constructor(client: VaultClient, logger: Logger, onFault: (fault: VaultFault) => void) {
    this.#client = client;
    this.#logger = logger;
    this.#onFault = onFault;
  }

  /** Drops keys that the settings name no longer. */
  dropExcluded(include: "all" | readonly KeySelector[]): void {
    if (include === "all") return;
    for (const [address, { usable, location }] of this.byAddress) {
      if (include.some((each) => matches(each, usable))) continue;
      this.byAddress.delete(address);
      this.#logger.warn({ key: address, location }, "key is no longer served: the settings leave it out");
    }
  }

  /**
   * Drops keys in use that the vault says are gone. A rotated key is another address; the old version stays while it is
   * enabled, since that is the address that the chain knows, but a restart would not find it, so the log says what to do.
   * @param began when the look at the vault did, as performance.now() tells it
   * @returns what is to be noted
   */
  async dropMissing(
    found: readonly UsableKey[],
    discovery: Discovery,
    began: number,
    signal: AbortSignal,
  ): Promise<string[]> {
    const ids = new Set(found.map(({ id }) => id));
    const rotated: string[] = [];
    for (const [address, key] of this.byAddress) {
      if (ids.has(key.location)) {
        key.seen(began);
        continue;
      }
      const state = await discovery.confirm(key.usable, signal);
      if (typeof state === "object") {
        this.byAddress.delete(address);
        this.#logger.warn({ key: address, location: key.location }, `key is no longer served: ${state.gone}`);
      } else if (state === "usable") {
        key.seen(began);
        const { name, version } = key.usable;
        const remedy = `add ${name}/${version} to keys.include to have it after a restart, or disable it`;
        rotated.push(`${name} has a newer version than ${address}'s, which is served while it is enabled; ${remedy}`);
      }
    }
    return rotated;
  }

  /**
   * Serves the keys that were found beside those that are served already, each by one version, and gives each the store
   * that all of the vault names for it.
   * @returns what is to be noted
   */
  serve(found: readonly UsableKey[], stores: StoreTags): string[] {
    const notes: string[] = [];
    for (const versions of this.#byKey(found)) {
      const best = preferred(versions, stores);
      const key = this.#serve(best, stores);
      const others = versions.filter(({ id }) => id !== best.id);
      notes.push(...others.map(({ name }) => `${name} is left out: it is the same key as ${best.id}`));
      const { boundStoreId, conflict } = key.binding;
      if (conflict !== undefined) notes.push(`${best.name} is not served: ${conflict}`);
      else if (boundStoreId !== undefined && !stores.own.has(best.id)) {
        const isNamed = stores.tagged.some(({ address }) => address === best.publicKey.address);
        const bound = boundStoreId === UNBOUND ? "unbound" : `bound to ${boundStoreId}`;
        const bind = ownersCommand("keys bind");
        const remedy = isNamed
          ? `another version of the same key names it; bind this one too (${bind})`
          : `so it was tagged before, until the tag was taken away; bind it anew (${bind})`;
        notes.push(`${best.name} names no watermark store and is taken to be ${bound}: ${remedy}`);
      }
    }
    return notes;
  }

  /** Versions by what key they are; those that are served come first, so that among equals they stay. */
  #byKey(found: readonly UsableKey[]): Iterable<readonly [UsableKey, ...UsableKey[]]> {
    const served = [...this.byAddress.values()].map(({ usable }) => usable);
    const byKey = new Map<string, [UsableKey, ...UsableKey[]]>();
    for (const key of [...served, ...found]) {
      const versions = byKey.get(key.publicKey.address);
      if (versions === undefined) byKey.set(key.publicKey.address, [key]);
      else if (!versions.some(({ id }) => id === key.id)) versions.push(key);
    }
    return byKey.values();
  }

  #serve(version: UsableKey, stores: StoreTags): VaultKey {
    const { address, curve } = version.publicKey;
    const known = this.byAddress.get(address);
    const binding = bindingOf(version, stores, known?.binding, this.#storeIds.get(address));
    if (binding.boundStoreId !== undefined) this.#storeIds.set(address, binding.boundStoreId);
    const isKnown = known?.location === version.id;
    const key = isKnown ? known : new VaultKey(version, this.#client, this.#onFault);
    if (!isKnown) key.warm();
    if (!isKnown || known.boundStoreId !== binding.boundStoreId) {
      const store = binding.boundStoreId;
      this.#logger.info({ key: address, location: version.id, curve, store }, "key is served");
    }
    key.binding = binding;
    this.byAddress.set(address, key);
    return key;
  }
}
