import { randomBytes } from "node:crypto";
import { beingDeleted, deletedButRecoverable, deletedKeyNotFound, keyNotFound } from "./errors.ts";
import type { SoftwareKey } from "./software-key.ts";

/** One version of a key. Times are in seconds since 1970. */
export interface KeyVersion {
  readonly name: string;
  /** 32 hex digits. */
  readonly version: string;
  readonly key: SoftwareKey;
  keyOps: string[];
  enabled: boolean;
  nbf?: number;
  exp?: number;
  readonly created: number;
  updated: number;
  tags: Record<string, string>;
  readonly exportable: boolean;
}

export interface DeletedKey {
  readonly versions: KeyVersion[];
  readonly deletedDate: number;
  readonly scheduledPurgeDate: number;
  /** When (ms) /deletedkeys starts to show it. */
  readonly visibleAt: number;
}

/** The vault's keys: name -> versions in order of creation, the deleted ones, and the times between. */
export class KeyStore {
  /** Milliseconds until a deleted key shows under /deletedkeys (about 15 s on Azure). */
  deleteDelay: number;
  /** Days until a deleted key is purged for good. */
  readonly recoverableDays: number;
  readonly #keys = new Map<string, KeyVersion[]>();
  readonly #deleted = new Map<string, DeletedKey>();
  /** Names that are being recovered or purged, with the time (ms) at which that is done. */
  readonly #busy = new Map<string, number>();

  constructor(deleteDelay: number, recoverableDays: number) {
    this.deleteDelay = deleteDelay;
    this.recoverableDays = recoverableDays;
  }

  /** Adds a version; the newest is the current one. */
  add(name: string, key: SoftwareKey, given: Partial<Omit<KeyVersion, "name" | "version" | "key">>): KeyVersion {
    this.#settle(name);
    const deleted = this.#deleted.get(name);
    if (deleted !== undefined) throw this.#hidden(deleted) ? beingDeleted(name) : deletedButRecoverable(name);
    if (this.#busy.has(name)) throw beingDeleted(name);
    const now = Math.floor(Date.now() / 1000);
    const added: KeyVersion = {
      keyOps: ["sign", "verify"],
      enabled: true,
      created: now,
      updated: now,
      tags: {},
      exportable: false,
      ...given,
      name,
      key,
      version: randomBytes(16).toString("hex"),
    };
    this.#keys.set(name, [...(this.#keys.get(name) ?? []), added]);
    return added;
  }

  /** @throws VaultRefusal KeyNotFound; @param version "" is the current one */
  get(name: string, version: string): KeyVersion {
    const versions = this.versions(name);
    const found = version === "" ? versions.at(-1) : versions.find((each) => each.version === version);
    if (found === undefined) throw keyNotFound(version === "" ? name : `${name}/${version}`);
    return found;
  }

  versions(name: string): readonly KeyVersion[] {
    this.#settle(name);
    const versions = this.#busy.has(name) ? undefined : this.#keys.get(name);
    if (versions === undefined) throw keyNotFound(name);
    return versions;
  }

  /** The current version of every key, by name. */
  current(): KeyVersion[] {
    const names = [...this.#keys.keys()].sort();
    return names.filter((name) => !this.#settle(name)).flatMap((name) => this.#keys.get(name)?.at(-1) ?? []);
  }

  remove(name: string): DeletedKey {
    const versions = [...this.versions(name)];
    const deletedDate = Math.floor(Date.now() / 1000);
    const scheduledPurgeDate = deletedDate + this.recoverableDays * 86_400;
    const deleted = { versions, deletedDate, scheduledPurgeDate, visibleAt: Date.now() + this.deleteDelay };
    this.#keys.delete(name);
    this.#deleted.set(name, deleted);
    return deleted;
  }

  deleted(name: string): DeletedKey {
    const deleted = this.#deleted.get(name);
    if (deleted === undefined || this.#hidden(deleted)) throw deletedKeyNotFound(name);
    return deleted;
  }

  allDeleted(): DeletedKey[] {
    return [...this.#deleted.values()].filter((each) => !this.#hidden(each));
  }

  recover(name: string): KeyVersion {
    const { versions } = this.deleted(name);
    const current = versions.at(-1);
    if (current === undefined) throw deletedKeyNotFound(name);
    this.#deleted.delete(name);
    this.#keys.set(name, versions);
    this.#busy.set(name, Date.now() + this.deleteDelay);
    return current;
  }

  purge(name: string): void {
    this.deleted(name);
    this.#deleted.delete(name);
    this.#busy.set(name, Date.now() + this.deleteDelay);
  }

  #hidden(deleted: DeletedKey): boolean {
    return deleted.visibleAt > Date.now();
  }

  /** Ends a recovery or purge whose time has come; true while it still goes on. */
  #settle(name: string): boolean {
    const until = this.#busy.get(name);
    if (until === undefined) return false;
    if (until > Date.now()) return true;
    this.#busy.delete(name);
    return false;
  }
}
