import { join } from "node:path";
import { type RunningSigner, startSigner } from "../../signer/main.ts";
import { LiveSettings } from "../../signer/settings/live-settings.ts";
import { Imds } from "../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { attestation } from "../fixtures/payloads.ts";
import { logLines } from "../harness/log-lines.ts";
import { Baker } from "./baker.ts";

const SIGNER = { clientId: "11111111-2222-4333-8444-555555555555", objectId: "66666666-7777-4888-8999-aaaaaaaaaaaa" };

/** So many signers are started, at most, until one is healthy. */
const TRIES = 5;

/** A signer that runs, with a key in a vault, a node and a store that faults can be done to. */
export class PageSigner implements AsyncDisposable {
  readonly signer: RunningSigner;
  readonly vault: KeyVaultEmulator;
  readonly live: LiveSettings;
  readonly settings: object;
  readonly baker: Baker;
  /** Path of its watermarks. */
  readonly store: string;
  readonly #stack: AsyncDisposableStack;
  #level = 1_000;

  private constructor(
    parts: Pick<PageSigner, "signer" | "vault" | "live" | "settings" | "baker" | "store">,
    stack: AsyncDisposableStack,
  ) {
    ({ signer: this.signer, vault: this.vault, live: this.live, baker: this.baker, store: this.store } = parts);
    this.settings = parts.settings;
    this.#stack = stack;
  }

  /** @param head settings of the chain's head, beside its node */
  static async start(head: object = {}): Promise<PageSigner> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await temporaryFolder());
    const baker = stack.use(await Baker.make());
    const imds = await Imds.start({ identities: [SIGNER] });
    stack.defer(() => imds.stop());
    const policies = { [SIGNER.objectId]: ["get", "list", "sign"] as const };
    const vault = await KeyVaultEmulator.start({ tokens: imds.tokens, policies });
    stack.defer(() => vault.stop());
    vault.createKey("baker", { crv: "P-256" });
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = imds.url;
    stack.defer(() => void delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST);
    const store = join(folder.path, "watermarks.sqlite");
    const settings = {
      listen: { port: 0 },
      admin: { port: 0 },
      keys: { kind: "azure-key-vault", vault: vault.url, clientId: SIGNER.clientId },
      watermarks: { kind: "sqlite", path: store, initialise: "always", maxStep: "off" },
      policy: { default: { allow: ["attestation"] } },
      head: { node: baker.node, maxBehind: 10_000, maxAhead: 10_000, ...head },
    };
    const live = new LiveSettings(JSON.stringify(settings), "the test's settings");
    const signer = await startSigner(live, logLines().log);
    stack.defer(() => signer.stop());
    return new PageSigner({ signer, vault, live, settings, baker, store }, stack.move());
  }

  /**
   * Starts one that has signed so many levels, each at once. A computer with other work may hold up one of them for longer
   * than a signer waits for its vault, which the signer then tells for five minutes, and rightly: another one is started.
   */
  static async startHealthy(levels: number, head: object = {}): Promise<PageSigner> {
    for (let tries = 1; ; tries++) {
      await using stack = new AsyncDisposableStack();
      const page = stack.use(await PageSigner.start(head));
      const statuses: number[] = [];
      for (let level = 0; level < levels; level++) statuses.push(await page.ask());
      const failed = statuses.filter((status) => status !== 200);
      if (failed.length === 0) {
        stack.move();
        return page;
      }
      if (tries === TRIES)
        throw new Error(`of ${levels} levels ${failed.length} were not signed: ${failed.join(", ")}`);
    }
  }

  /** Asks for the next level's attestation. @returns the status */
  async ask(): Promise<number> {
    const [address = ""] = this.signer.keyring.keys.keys();
    const headers = { "content-type": "application/json" };
    this.#level += 1;
    const body = JSON.stringify(attestation({ level: this.#level }).toString("hex"));
    return (await fetch(`${this.signer.url}/keys/${address}`, { method: "POST", headers, body })).status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
