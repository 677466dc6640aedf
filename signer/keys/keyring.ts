import type { PublicKey } from "../tezos/crypto/public-key.ts";

/** One private key, wherever it lives. What it signs was decided before it is asked. */
export interface SigningKey {
  readonly publicKey: PublicKey;
  /** Where the key lives, for logs and /status: a file's path, or a vault key id with its version. */
  readonly location: string;
  /** Id of the watermark store that guards this key, where the backend records one: one key has one store. */
  readonly boundStoreId?: string | undefined;
  /** Says why it is not certain which store that is, and what to do, so that the key must not sign; else undefined. */
  readonly bindingConflict?: string | undefined;
  /** Says why the backend refuses to sign with this key until somebody mends it, and what to do; undefined else. */
  readonly refusal?: string | undefined;
  /**
   * Signs a digest once, as the backend does it: not yet normalised, not yet verified.
   * @param digest Blake2b-256 of the payload, 32 bytes
   * @param signal ends the attempt at the request's deadline
   * @param payload what the digest is of, for a device that reads what it signs and makes the digest itself; every request
   *   has it
   * @returns r || s, 64 bytes
   * @throws SignerError `vault-unavailable` for whatever may heal by itself
   */
  sign(digest: Uint8Array, signal: AbortSignal, payload?: Uint8Array): Promise<Uint8Array>;
}

/** A backend's own code with a given answer in the place of whom it asks, for rehearsals. */
export interface StandInBackend {
  /** Makes a key that answers with a signature. @param signature r || s, 64 bytes */
  key(publicKey: PublicKey, signature: Uint8Array): SigningKey;
  close(): void;
}

/** The keys of one backend. */
export interface Keyring {
  /** The keys that can sign now, by public key hash. */
  readonly keys: ReadonlyMap<string, SigningKey>;
  /** Says why keys are missing that should be here, and what to do, for /status and readiness; undefined while none are. */
  problem?(): string | undefined;
  /** Says why keys may be here that were not seen, so that none may be called unknown yet; undefined where all were. */
  unseen?(): string | undefined;
  /** Returns how long the access token lives still, in milliseconds, for /status; undefined while there is none. */
  tokenLife?(): number | undefined;
  /** Says why the backend answers nobody now, for readiness: the last call failed so; undefined where it does. */
  outage?(): string | undefined;
  /** Returns when the backend last answered, in milliseconds since 1970; undefined before that. Absent where none is asked. */
  answeredAt?(): number | undefined;
  /** How often the backend has failed since the start, by the kind of fault, for /metrics. */
  faults?(): ReadonlyMap<string, number>;
  /** Called when a key is asked for that is not here. Starts a rediscovery, at a limited rate, where keys can appear. */
  refresh?(): void;
  /** Ends the use of every key. */
  close(): Promise<void>;
}
