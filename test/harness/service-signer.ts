import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKeyring } from "../../signer/backends.ts";
import { Confirmations } from "../../signer/confirmation/confirmations.ts";
import { SignerError } from "../../signer/errors.ts";
import type { Keyring } from "../../signer/keys/keyring.ts";
import type { KeyPolicy } from "../../signer/policy/policy.ts";
import { LiveSettings } from "../../signer/settings/live-settings.ts";
import type { RequestSettings } from "../../signer/signing/request-context.ts";
import { SigningService } from "../../signer/signing/signing-service.ts";
import type { Curve } from "../../signer/tezos/crypto/curve.ts";
import { Guard } from "../../signer/watermark/guard.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import type { WatermarkStore } from "../../signer/watermark/stores/store.ts";
import { TrustedStore } from "../../signer/watermark/trusted-store.ts";
import { allAt } from "./guarded-signer.ts";
import { type KeyBackend, type KeyPlace, keyBackend } from "./key-backends.ts";
import { logLines } from "./log-lines.ts";
import { callOf, requestSettings } from "./request-settings.ts";

const POLICY: KeyPolicy = { allow: ["block", "preattestation", "attestation"] };
const SETTINGS: RequestSettings = requestSettings({ policy: { default: POLICY, keys: new Map() } });

/** The signing service over one key, a local one unless it is told another backend, and a SQLite store, as main.ts wires it, without its ports. */
export class ServiceSigner implements AsyncDisposable {
  readonly folder: string;
  readonly address: string;
  readonly settings = SETTINGS;
  service: SigningService;
  store: WatermarkStore;
  readonly #keyring: Keyring;
  /** Where its key lives. */
  readonly place: KeyPlace;
  readonly #maxStep: number | "off";
  readonly #shared: WatermarkStore | undefined;

  private constructor(
    folder: string,
    keyring: Keyring,
    place: KeyPlace,
    maxStep: number | "off",
    shared: WatermarkStore | undefined,
  ) {
    this.#maxStep = maxStep;
    this.#shared = shared;
    this.folder = folder;
    [this.address = ""] = keyring.keys.keys();
    this.#keyring = keyring;
    this.place = place;
    [this.store, this.service] = this.#start();
  }

  /**
   * @param options.boundTo id of the store that the key names, as a vault's tag does
   * @param options.maxStep as in the settings
   * @param options.backend where its key lives
   * @param options.shared a store for several signers, in place of a file of its own
   */
  static async make(
    curve: Curve = "P-256",
    {
      boundTo,
      maxStep = 100,
      backend = keyBackend("local"),
      shared,
    }: { boundTo?: string; maxStep?: number | "off"; backend?: KeyBackend; shared?: WatermarkStore } = {},
  ): Promise<ServiceSigner> {
    const folder = mkdtempSync(join(tmpdir(), "service-"));
    const place = await backend.place(folder, curve);
    Object.assign(process.env, place.env);
    const settings = { keys: place.settings, watermarks: { kind: "sqlite", path: join(folder, "watermarks.sqlite") } };
    const live = new LiveSettings(JSON.stringify(settings), "the test's settings");
    const keyring = await openKeyring(live, logLines().log);
    if (boundTo === undefined) return new ServiceSigner(folder, keyring, place, maxStep, shared);
    const bound = [...keyring.keys].map(([name, key]) => [name, { ...key, boundStoreId: boundTo }] as const);
    const close = () => keyring.close();
    return new ServiceSigner(folder, { keys: new Map(bound), close }, place, maxStep, shared);
  }

  /** Starts a second signer of the same key on the shared store. */
  second(): SigningService {
    return this.#start()[1];
  }

  /** As after a crash: nothing remembered but what is on the disk. */
  async restart(): Promise<void> {
    await this.store.close();
    [this.store, this.service] = this.#start();
  }

  /** The signature, or the HTTP status of the refusal. */
  async ask(payload: Uint8Array, service = this.service): Promise<string | number> {
    try {
      return await service.sign(callOf(SETTINGS, this.address, payload));
    } catch (error) {
      if (error instanceof SignerError) return error.status;
      throw error;
    }
  }

  /** The code of the refusal; undefined where it was signed. */
  async refusal(payload: Uint8Array): Promise<string | undefined> {
    try {
      await this.service.sign(callOf(SETTINGS, this.address, payload));
      return undefined;
    } catch (error) {
      if (error instanceof SignerError) return error.code;
      throw error;
    }
  }

  /** Everything that the store holds. */
  async marks(): Promise<string> {
    return JSON.stringify(await this.store.list(new AbortController().signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.#keyring.close();
    await this.place[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #start(): [WatermarkStore, SigningService] {
    const store = this.#shared ?? new SqliteStore(join(this.folder, "watermarks.sqlite"));
    const trusted = new TrustedStore({ store, initialise: "always", clock: Date.now });
    const service = new SigningService({
      settingsHome: "file",
      keyring: this.#keyring,
      store: trusted,
      guard: new Guard({
        store: trusted,
        maxStep: this.#maxStep,
        minimalBlockDelay: 1,
        budgets: allAt(4_000),
        clock: Date.now,
      }),
      settings: { current: SETTINGS },
      head: { of: () => undefined },
      confirmations: new Confirmations({ logger: logLines().log }),
      budget: 4_000,
    });
    return [store, service];
  }
}
