import type { CryptographyClient } from "@azure/keyvault-keys";
import { messageOf, SignerError } from "../../errors.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";
import { prepareVerification } from "../../tezos/crypto/signature.ts";
import type { SigningKey } from "../keyring.ts";
import type { Binding } from "./binding.ts";
import type { VaultClient } from "./client.ts";
import { VaultFault } from "./fault.ts";
import type { UsableKey } from "./key-selection.ts";

/** One version of a key in the vault. */
export class VaultKey implements SigningKey {
  readonly usable: UsableKey;
  readonly publicKey: PublicKey;
  readonly location: string;
  /** Which store guards the key, as the last look at the vault showed it; requests that are under way see it change. */
  binding: Binding = { boundStoreId: undefined, conflict: undefined };
  readonly #client: VaultClient;
  readonly #onFault: (fault: VaultFault) => void;
  #crypto: CryptographyClient;
  /** The refusal that stands, and when it came, as performance.now() tells it. */
  #refused: { readonly fault: VaultFault; readonly at: number } | undefined;

  constructor(key: UsableKey, client: VaultClient, onFault: (fault: VaultFault) => void) {
    this.usable = key;
    this.publicKey = key.publicKey;
    this.location = key.id;
    this.#client = client;
    this.#onFault = onFault;
    this.#crypto = this.#pinned();
  }

  get boundStoreId(): string | undefined {
    return this.binding.boundStoreId;
  }

  get bindingConflict(): string | undefined {
    return this.binding.conflict;
  }

  get refusal(): string | undefined {
    return this.#refused && `${this.location} cannot sign. ${this.#refused.fault.advice}`;
  }

  /** Notes that a look at the vault found the key fit to sign. @param began when it did, as performance.now() tells it */
  seen(began: number): void {
    if (this.#refused?.fault.standsUntil === "look" && this.#refused.at < began) this.#refused = undefined;
  }

  /**
   * Prepares the first signature: makes the table that signatures are verified with, and triggers the SDK's lazy read of the
   * key with a wrapKey call that the SDK then rejects by itself. What fails here, sign will meet.
   */
  async warm(signal: AbortSignal): Promise<void> {
    prepareVerification(this.publicKey);
    await this.#crypto.wrapKey("RSA-OAEP", Buffer.alloc(1), { abortSignal: signal }).catch(() => undefined);
  }

  async sign(digest: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    try {
      const { result } = await this.#crypto.sign(this.usable.algorithm, digest, { abortSignal: signal });
      if (!(result instanceof Uint8Array)) throw new VaultFault("answer", "Its answer holds no signature.");
      this.#refused = undefined;
      return result;
    } catch (error) {
      const fault = this.#faultOf(error);
      if (fault.standsUntil !== undefined) this.#refused = { fault, at: performance.now() };
      this.#onFault(fault);
      const code = fault.kind === "refused" ? "internal-error" : "vault-unavailable";
      throw new SignerError(code, `${this.location}: ${fault.advice}`, { cause: error });
    }
  }

  /** Of the KeyClient, so that both have one pipeline; with the version, so that a rotation changes nothing. */
  #pinned(): CryptographyClient {
    return this.#client.keys.getCryptographyClient(this.usable.name, { keyVersion: this.usable.version });
  }

  /** What is not the vault's fault is the SDK's own check of expiry and operations, on a copy that it never renews. */
  #faultOf(error: unknown): VaultFault {
    if (error instanceof VaultFault) return error;
    if (error instanceof Error && error.name === "AbortError") {
      return new VaultFault("timeout", "It did not answer before the request's deadline.");
    }
    this.#crypto = this.#pinned();
    return new VaultFault("key-unusable", `${messageOf(error)}.`);
  }
}
