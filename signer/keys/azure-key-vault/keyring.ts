import type { TokenCredential } from "@azure/identity";
import type { Logger } from "pino";
import { type AzureCredentialOptions, azureCredential } from "../../azure/credential.ts";
import type { Keyring } from "../keyring.ts";
import { PolledKeyring } from "../polled-keyring.ts";
import { VaultClient } from "./client.ts";
import { Discovery } from "./discovery.ts";
import { faultOfError, type VaultFault } from "./fault.ts";
import { type KeySelector, parseKeySelector } from "./key-selection.ts";
import { ServedKeys } from "./served-keys.ts";
import type { VaultKey } from "./signing-key.ts";

export interface AzureKeyVaultOptions extends AzureCredentialOptions {
  /** `https://NAME.vault.azure.net`; `http:` for an emulator on this computer only. */
  readonly vault: string;
  /**
   * `name` (its newest enabled version) or `name/version`; `all`: every key of the vault that can sign. Read at each discovery,
   * since settings change while the signer runs.
   */
  readonly include: () => "all" | readonly string[];
  readonly logger: Logger;
  /** Other times than the usual ones, for tests, in milliseconds. */
  readonly times?: Partial<Times>;
}

interface Times {
  /** How long `open` waits for the vault before it goes on without keys. */
  readonly startupTimeout: number;
  /** Between two discoveries of the vault's keys. */
  readonly rediscover: number;
  /** Between two discoveries where a key is missed, or signing showed that one has changed. */
  readonly refresh: number;
  /** One discovery, its retries included. */
  readonly discovery: number;
  /** One try of one request. */
  readonly try: number;
}

const TIMES: Times = { startupTimeout: 15_000, rediscover: 60_000, refresh: 10_000, discovery: 10_000, try: 1_500 };

/**
 * Opens the keys of an Azure Key Vault. Returns once the keys are known, or without them when the vault does not show
 * them in time: it goes on asking, and `problem` says why. Nothing here ends the process: whatever is wrong can be
 * mended outside.
 */
export async function openAzureKeyVaultKeyring(options: AzureKeyVaultOptions): Promise<Keyring> {
  const keyring = new AzureKeyVaultKeyring(options, await azureCredential(options));
  await keyring.open();
  return keyring;
}

class AzureKeyVaultKeyring extends PolledKeyring<VaultKey> {
  readonly #times: Times;
  readonly #vault: string;
  readonly #client: VaultClient;
  readonly #discovery: Discovery;
  readonly #served: ServedKeys;
  readonly #include: AzureKeyVaultOptions["include"];
  #problem: string | undefined = "The vault has not shown its keys yet.";
  #unseen = this.#problem;

  constructor({ vault, include, logger, ...options }: AzureKeyVaultOptions, credential: TokenCredential) {
    const times = { ...TIMES, ...options.times };
    const { startupTimeout: startup, rediscover: interval, refresh } = times;
    super({ logger, backend: "the vault", where: { vault }, startup, interval, refresh });
    this.#vault = vault;
    this.#include = include;
    this.#times = times;
    this.#client = new VaultClient({ vault, credential, log: this.faultLog, tryTimeout: times.try });
    this.#discovery = new Discovery(this.#client.keys);
    this.#served = new ServedKeys(this.#client, logger, (fault) => this.#failed(fault));
  }

  get keys(): ReadonlyMap<string, VaultKey> {
    return this.#served.byAddress;
  }

  problem(): string | undefined {
    return this.#problem;
  }

  unseen(): string | undefined {
    return this.#unseen;
  }

  tokenLife(): number | undefined {
    return this.#client.tokenLife;
  }

  outage(): string | undefined {
    const { outage } = this.#client;
    return outage && `${this.#vault} cannot be used now. ${outage.advice}`;
  }

  async close(): Promise<void> {
    this.polling.stop();
    this.#client.close();
    this.#served.byAddress.clear();
  }

  /**
   * Discovers the keys once. What fails changes nothing: a key goes only when the vault says that it is gone.
   * @returns whether the vault showed all of them
   */
  protected async look(): Promise<boolean> {
    const signal = AbortSignal.any([AbortSignal.timeout(this.#times.discovery), this.polling.signal]);
    const began = performance.now();
    try {
      const include = this.#selectors();
      const { findings, stores } = await this.#discovery.look(include, signal);
      const found = findings.flatMap((finding) => (finding.outcome === "usable" ? finding.key : []));
      const failed = findings.flatMap(({ name, ...each }) =>
        each.outcome === "failed" ? `${name}: ${each.fault.advice}` : [],
      );
      const skipped = findings.flatMap(({ name, ...each }) =>
        each.outcome === "skipped" ? `${name} is left out: ${each.reason}` : [],
      );
      this.#served.dropExcluded(include);
      const rotated = await this.#served.dropMissing(found, this.#discovery, began, signal);
      const doubled = this.#served.serve(found, stores);
      this.note([...skipped, ...rotated, ...doubled]);
      this.#problem = this.#problemOf(failed, skipped, include !== "all");
      this.#unseen = failed.length > 0 ? this.#problem : undefined;
      this.known();
      return failed.length + stores.unread.length === 0;
    } catch (error) {
      if (this.polling.signal.aborted) return false;
      this.#problem = this.keys.size === 0 ? `${this.#vault}: ${faultOfError(error).advice}` : undefined;
      if (this.#problem !== undefined) this.#unseen = this.#problem;
      return false;
    }
  }

  #selectors(): "all" | readonly KeySelector[] {
    const include = this.#include();
    return include === "all" ? "all" : include.map(parseKeySelector);
  }

  /** @param areNamed whether the settings name the keys: one of them that is left out is missed */
  #problemOf(failed: readonly string[], skipped: readonly string[], areNamed: boolean): string | undefined {
    if (failed.length > 0) return `${this.#vault} did not show every key. ${failed.join(" ")}`;
    if (this.keys.size > 0) {
      if (!areNamed || skipped.length === 0) return undefined;
      const cure = "Mend it in the vault, or take it out of `keys.include`.";
      return `${this.#vault} has a key that the settings name and that cannot sign: ${skipped.join("; ")}. ${cure}`;
    }
    return [`${this.#vault} has no key that can sign`, ...skipped].join("; ");
  }

  /** Signing showed that the vault's keys are not what they were at the last discovery. */
  #failed(fault: VaultFault): void {
    if (fault.kind !== "key-missing" && fault.kind !== "key-disabled" && fault.kind !== "key-unusable") return;
    this.#discovery.forget();
    this.refresh();
  }
}
