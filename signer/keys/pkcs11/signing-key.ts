import { SignerError } from "../../errors.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";
import type { SigningKey } from "../keyring.ts";
import type { TokenConnection } from "./connection.ts";
import { TokenFault } from "./fault.ts";

/** One key on a token. */
export class TokenKey implements SigningKey {
  readonly publicKey: PublicKey;
  readonly location: string;
  /** CKA_EC_POINT, hex: whatever handles it had before and gets later, this is the key. */
  readonly point: string;
  readonly #connection: TokenConnection;
  readonly #onFault: () => void;
  #refused: TokenFault | undefined;

  /** @param onFault told when a signature could not be had: a look at the token shows whether that lasts */
  constructor(
    key: { publicKey: PublicKey; location: string; point: string },
    connection: TokenConnection,
    onFault: () => void,
  ) {
    this.publicKey = key.publicKey;
    this.location = key.location;
    this.point = key.point;
    this.#connection = connection;
    this.#onFault = onFault;
  }

  get refusal(): string | undefined {
    const fault = this.#refused ?? this.#connection.fault;
    return fault && `${this.location} cannot sign. ${fault.advice}`;
  }

  async sign(digest: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    try {
      const signature = await this.#connection.ask("sign", { point: this.point, digest }, signal);
      this.#refused = undefined;
      return signature;
    } catch (error) {
      if (!(error instanceof TokenFault)) throw error;
      if (error.kind === "refused") this.#refused = error;
      this.#onFault();
      const code = error.kind === "refused" ? "internal-error" : "vault-unavailable";
      throw new SignerError(code, `${this.location}: ${error.advice}`, { cause: error });
    }
  }
}
