import { SignerError } from "../../errors.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";
import { prepareVerification } from "../../tezos/crypto/signature.ts";
import type { SigningKey } from "../keyring.ts";
import type { Binding } from "./binding.ts";
import type { VaultClient } from "./client.ts";
import { faultOfError, type VaultFault } from "./fault.ts";
import type { UsableKey } from "./key-selection.ts";
import { signatureOf } from "./sign-call.ts";

/** One version of a key in the vault. */
export class VaultKey implements SigningKey {
  readonly usable: UsableKey;
  readonly publicKey: PublicKey;
  readonly location: string;
  /** Which store guards the key, as the last look at the vault showed it; requests that are under way see it change. */
  binding: Binding = { boundStoreId: undefined, conflict: undefined };
  readonly #client: VaultClient;
  readonly #onFault: (fault: VaultFault) => void;
  /** The refusal that stands, and when it came, as performance.now() tells it. */
  #refused: { readonly fault: VaultFault; readonly at: number } | undefined;

  constructor(key: UsableKey, client: VaultClient, onFault: (fault: VaultFault) => void) {
    this.usable = key;
    this.publicKey = key.publicKey;
    this.location = key.id;
    this.#client = client;
    this.#onFault = onFault;
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

  /** Prepares the first signature's verification. */
  warm(): void {
    prepareVerification(this.publicKey);
  }

  async sign(digest: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    try {
      const signature = signatureOf(await this.#client.sign(this.usable, digest, signal));
      this.#refused = undefined;
      return signature;
    } catch (error) {
      const fault = faultOfError(error);
      if (fault.standsUntil !== undefined) this.#refused = { fault, at: performance.now() };
      this.#onFault(fault);
      const code = fault.kind === "refused" ? "internal-error" : "vault-unavailable";
      throw new SignerError(code, `${this.location}: ${fault.advice}`, { cause: error });
    }
  }
}
