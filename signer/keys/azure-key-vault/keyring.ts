import { setTimeout as sleep } from "node:timers/promises";
import type { TokenCredential } from "@azure/identity";
import type { Logger } from "pino";
import { type AzureCredentialOptions, azureCredential } from "../../azure/credential.ts";
import type { Keyring } from "../keyring.ts";
import { VaultClient } from "./client.ts";
import { Discovery } from "./discovery.ts";
import { faultOfError, type VaultFault } from "./fault.ts";
import { FaultLog } from "./fault-log.ts";
import { isMeant, type UsableKey, type Wanted, wanted } from "./key-selection.ts";
import { VaultKey } from "./signing-key.ts";

export interface AzureKeyVaultOptions extends AzureCredentialOptions {
  /** `https://NAME.vault.azure.net`; `http:` for an emulator on this computer only. */
  readonly vault: string;
  /**
   * `name` (its newest enabled version) or `name/version`; `all`: every key of the vault that can sign. Read at each look,
   * since settings change while the signer runs.
   */
  readonly include: () => "all" | readonly string[];
  readonly logger: Logger;
  /** Other times than the usual ones, for tests, in milliseconds. */
  readonly times?: Partial<Times>;
}

interface Times {
  /** How long `open` waits for the vault before it goes on without keys. */
  readonly patience: number;
  /** Between two looks at the vault's keys. */
  readonly rediscover: number;
  /** Between two looks where a key is missed, or signing showed that one has changed. */
  readonly seek: number;
  /** One look, its retries included. */
  readonly discovery: number;
  /** One try of one request. */
  readonly try: number;
}

const TIMES: Times = { patience: 15_000, rediscover: 60_000, seek: 10_000, discovery: 10_000, try: 1_500 };

/** Pauses between looks while they fail, in milliseconds; the last one is kept. */
const FAILURE_PAUSES = [1_000, 2_000, 5_000, 15_000];

/**
 * The keys of an Azure Key Vault. Returns once the keys are known, or without them when the vault does not show them in
 * time: it goes on asking, and `problem` says why. Nothing here ends the process: whatever is wrong can be mended outside.
 */
export async function openAzureKeyVaultKeyring(options: AzureKeyVaultOptions): Promise<Keyring> {
  const keyring = new AzureKeyVaultKeyring(options, await azureCredential(options));
  await keyring.open();
  return keyring;
}

class AzureKeyVaultKeyring implements Keyring {
  readonly keys = new Map<string, VaultKey>();
  readonly #logger: Logger;
  readonly #times: Times;
  readonly #vault: string;
  readonly #client: VaultClient;
  readonly #discovery: Discovery;
  readonly #include: AzureKeyVaultOptions["include"];
  readonly #closed = new AbortController();
  /** Settled by the first look that the vault let us finish. */
  readonly #seen = Promise.withResolvers<void>();
  /** What the last look noted of keys, so that each thing is written once. */
  #notes: ReadonlySet<string> = new Set();
  #problem: string | undefined = "The vault has not shown its keys yet.";
  #failures = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor({ vault, include, logger, times }: AzureKeyVaultOptions, credential: TokenCredential) {
    this.#vault = vault;
    this.#logger = logger;
    this.#include = include;
    this.#times = { ...TIMES, ...times };
    this.#client = new VaultClient({ vault, credential, log: new FaultLog(logger), tryTimeout: this.#times.try });
    this.#discovery = new Discovery(this.#client.keys);
  }

  async open(): Promise<void> {
    void this.#lookForEver();
    const enough = AbortSignal.any([AbortSignal.timeout(this.#times.patience), this.#closed.signal]);
    // Nothing else may keep the process alive while IMDS or the vault is away, so this timer must.
    const alive = setInterval(() => undefined, this.#times.patience);
    await Promise.race([this.#seen.promise, aborted(enough)]);
    clearInterval(alive);
  }

  problem(): string | undefined {
    return this.#problem;
  }

  tokenLife(): number | undefined {
    return this.#client.tokenLife;
  }

  seek(): void {
    if (performance.now() >= this.#lookedAt + this.#times.seek) void this.#look();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#client.close();
    this.keys.clear();
  }

  async #lookForEver(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      await this.#look();
      const failing = FAILURE_PAUSES[Math.min(this.#failures, FAILURE_PAUSES.length) - 1];
      await pause(Math.min(failing ?? this.#times.rediscover, this.#times.rediscover), this.#closed.signal);
    }
  }

  #look(): Promise<void> {
    this.#lookedAt = performance.now();
    this.#looking ??= this.#discover().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** One look at the vault. What fails changes nothing: a key goes only when the vault says that it is gone. */
  async #discover(): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(this.#times.discovery), this.#closed.signal]);
    try {
      const include = this.#wanted();
      const findings = await this.#discovery.findings(include, signal);
      const found = findings.flatMap((finding) => (finding.outcome === "usable" ? finding.key : []));
      const failed = findings.flatMap(({ name, ...each }) =>
        each.outcome === "failed" ? `${name}: ${each.fault.advice}` : [],
      );
      const skipped = findings.flatMap(({ name, ...each }) =>
        each.outcome === "skipped" ? `${name} is left out: ${each.reason}` : [],
      );
      this.#leaveOut(include);
      const rotated = await this.#retire(found, signal);
      const doubled: string[] = [];
      for (const key of found) doubled.push(...(await this.#adopt(key, signal)));
      this.#write([...skipped, ...rotated, ...doubled]);
      this.#failures = failed.length === 0 ? 0 : this.#failures + 1;
      this.#problem = this.#verdict(failed, skipped);
      this.#seen.resolve();
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      this.#failures += 1;
      this.#problem = this.keys.size === 0 ? `${this.#vault}: ${faultOfError(error).advice}` : undefined;
    }
  }

  #wanted(): "all" | readonly Wanted[] {
    const include = this.#include();
    return include === "all" ? "all" : include.map(wanted);
  }

  /** Drops keys that the settings name no longer. */
  #leaveOut(include: "all" | readonly Wanted[]): void {
    if (include === "all") return;
    for (const [address, { usable, location }] of this.keys) {
      if (include.some((each) => isMeant(each, usable))) continue;
      this.keys.delete(address);
      this.#logger.warn({ key: address, location }, "key is no longer served: the settings leave it out");
    }
  }

  #verdict(failed: readonly string[], skipped: readonly string[]): string | undefined {
    if (failed.length > 0) return `${this.#vault} did not show every key. ${failed.join(" ")}`;
    if (this.keys.size > 0) return undefined;
    return [`${this.#vault} has no key that can sign`, ...skipped].join("; ");
  }

  /**
   * Looks after keys in use that were not found again. A rotated key is another address; the old version stays while it is
   * enabled, since that is the address that the chain knows, but a restart would not find it, so the log says what to do.
   */
  async #retire(found: readonly UsableKey[], signal: AbortSignal): Promise<string[]> {
    const ids = new Set(found.map(({ id }) => id));
    const rotated: string[] = [];
    for (const [address, key] of this.keys) {
      if (ids.has(key.location)) continue;
      const state = await this.#discovery.confirm(key.usable, signal);
      if (typeof state === "object") {
        this.keys.delete(address);
        this.#logger.warn({ key: address, location: key.location }, `key is no longer served: ${state.gone}`);
      } else if (state === "usable") {
        const { name, version } = key.usable;
        const cure = `add ${name}/${version} to keys.include to have it after a restart, or disable it`;
        rotated.push(`${name} has a newer version than ${address}'s, which is served while it is enabled; ${cure}`);
      }
    }
    return rotated;
  }

  /** Serves a key. @returns what is to be noted: that another key is the same one */
  async #adopt(key: UsableKey, signal: AbortSignal): Promise<string[]> {
    const { address, curve } = key.publicKey;
    const known = this.keys.get(address);
    if (known !== undefined && known.location !== key.id) {
      return [`${key.name} is left out: it is the same key as ${known.location}`];
    }
    if (known !== undefined && known.store === key.store) return [];
    const served = new VaultKey(key, known, this.#client, (fault) => this.#failed(fault));
    await served.warm(signal);
    this.keys.set(address, served);
    this.#logger.info({ key: address, location: key.id, curve, store: key.store }, "key is served");
    return [];
  }

  /** Writes what was not so at the last look. */
  #write(notes: readonly string[]): void {
    for (const note of notes) if (!this.#notes.has(note)) this.#logger.warn({ vault: this.#vault }, `key ${note}`);
    this.#notes = new Set(notes);
  }

  /** Signing showed that the vault's keys are not what they were when last looked at. */
  #failed(fault: VaultFault): void {
    if (fault.kind !== "key-missing" && fault.kind !== "key-disabled" && fault.kind !== "key-unusable") return;
    this.#discovery.forget();
    this.seek();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
