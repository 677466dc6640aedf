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
  #refused: TokenFault | undefined;

  constructor(key: { publicKey: PublicKey; location: string; point: string }, connection: TokenConnection) {
    this.publicKey = key.publicKey;
    this.location = key.location;
    this.point = key.point;
    this.#connection = connection;
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
      const code = error.kind === "refused" ? "internal-error" : "vault-unavailable";
      throw new SignerError(code, `${this.location}: ${error.advice}`, { cause: error });
    }
  }
}
