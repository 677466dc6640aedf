import { cp } from "node:fs/promises";
import { join } from "node:path";
import { generateLocalKey, localPassphrase } from "../../signer/keys/local/keyring.ts";
import { type Purpose, type RunningSigner, startSigner } from "../../signer/main.ts";
import { LiveSettings } from "../../signer/settings/live-settings.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { logLines } from "./log-lines.ts";

type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

/** What differs from settings under which one key may sign attestations. */
export interface OwnSettings {
  readonly watermarks?: object;
  readonly [name: string]: unknown;
}

/** A signer as main.ts makes it of settings, in this process: started again and again, in one folder, on stores of its own. */
export class WiredSigner implements AsyncDisposable {
  readonly #folder: Folder;
  /** The key of every one of them, and the second one of those that are started with `bothKeys`. */
  readonly tz3: string;
  readonly tz2: string;
  #stores = 0;
  #running: RunningSigner | undefined;
  #live: LiveSettings | undefined;
  #lines: readonly Record<string, unknown>[] = [];

  private constructor(folder: Folder, tz3: string, tz2: string) {
    this.#folder = folder;
    this.tz3 = tz3;
    this.tz2 = tz2;
  }

  static async make(): Promise<WiredSigner> {
    const folder = await temporaryFolder();
    const [one, both] = ["one", "both"].map((name) => join(folder.path, name)) as [string, string];
    const passphrase = await localPassphrase(one);
    const { address: tz3 } = await generateLocalKey("P-256", join(one, "tz3.pem"), passphrase);
    await cp(one, both, { recursive: true });
    const { address: tz2 } = await generateLocalKey("P-256K", join(both, "tz2.pem"), passphrase);
    return new WiredSigner(folder, tz3, tz2);
  }

  get bothKeys(): object {
    return { kind: "local", path: this.file("both") };
  }

  /** A path in its folder. */
  file(name: string): string {
    return join(this.#folder.path, name);
  }

  /** The SQLite file of the signer that is started now. */
  get store(): string {
    return this.file(`watermarks-${this.#stores}.sqlite`);
  }

  get running(): RunningSigner {
    if (this.#running === undefined) throw new Error("no signer was started");
    return this.#running;
  }

  /** What the signer that was started last has logged. */
  get lines(): readonly Record<string, unknown>[] {
    return this.#lines;
  }

  settings({ watermarks = {}, ...own }: OwnSettings = {}): string {
    return JSON.stringify({
      listen: { port: 0 },
      admin: { port: 0 },
      keys: { kind: "local", path: this.file("one") },
      watermarks: { kind: "sqlite", path: this.store, initialise: "always", maxStep: "off", ...watermarks },
      policy: { default: { allow: ["attestation"] } },
      ...own,
    });
  }

  async start(own: OwnSettings = {}, purpose?: Purpose): Promise<RunningSigner> {
    const { log, lines } = logLines();
    this.#lines = lines;
    this.#live = new LiveSettings(this.settings(own), "the test's settings");
    this.#running = await startSigner(this.#live, log, purpose);
    return this.#running;
  }

  /** Changes the settings while it runs, as userData does. */
  apply(own: OwnSettings): string {
    return this.#live?.apply(this.settings(own)) ?? "";
  }

  /** Ends it, where one runs. */
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** The next one has a store of its own. */
  renewStore(): void {
    this.#stores += 1;
  }

  /** Asks for a signature as octez does, but without a look at /authorized_keys. @returns the status */
  async ask(address: string, payload: Buffer, authentication?: string): Promise<number> {
    const query = authentication === undefined ? "" : `?authentication=${authentication}`;
    const body = JSON.stringify(payload.toString("hex"));
    const headers = { "content-type": "application/json" };
    return (await fetch(`${this.running.url}/keys/${address}${query}`, { method: "POST", headers, body })).status;
  }

  /** What the admin port answers. */
  async admin(path: "readyz" | "status"): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await fetch(`${this.running.adminUrl}/${path}`);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.running.adminUrl}/metrics`)).text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#folder[Symbol.asyncDispose]();
  }
}
