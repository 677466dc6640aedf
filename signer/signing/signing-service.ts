import type { Logger } from "pino";
import type { Confirmations } from "../confirmation/confirmations.ts";
import { describe as inWords } from "../confirmation/describe.ts";
import { type ErrorCode, SignerError } from "../errors.ts";
import type { Keyring, SigningKey } from "../keys/keyring.ts";
import { signVerified } from "../keys/verified-signature.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { History } from "../observability/recent-activity.ts";
import { type Head, type HeadRule, judgeHead } from "../policy/head.ts";
import { judge, type Policy } from "../policy/policy.ts";
import { blake2b256 } from "../tezos/crypto/digest.ts";
import { encodeSignature, verifySignature } from "../tezos/crypto/signature.ts";
import { type ConsensusRequest, parsePayload, type SigningRequest } from "../tezos/payload/payload.ts";
import { PayloadError } from "../tezos/payload/reader.ts";
import type { Guard } from "../watermark/guard.ts";
import { Journal, type Trace } from "./audit-log.ts";

/** Who asks: recorded in the decision's log line. */
export interface Client {
  /** IP address of the peer; IPv4-mapped IPv6 is given as IPv4. */
  readonly address: string;
  /** Ends when the client hangs up; a signature in flight goes on all the same. */
  readonly gone: AbortSignal;
}

/** What http/ sees of the signer. */
export interface RemoteSigner {
  /** Public key hashes served, in a stable order. */
  addresses(): readonly string[];
  /** The public key in base58check, or undefined for a key that is not here. */
  publicKey(address: string): string | undefined;
  /**
   * Takes a request through parse, policy, guard and key.
   * @param address public key hash, base58check
   * @param payload the bytes to be signed, magic byte first
   * @returns the signature in base58check (spsig1…, p2sig…)
   * @throws SignerError for every refusal and every fault
   */
  sign(address: string, payload: Uint8Array, client: Client): Promise<string>;
}

export interface PipelineParts {
  readonly keyring: Keyring;
  readonly guard: Guard;
  /** Id of the watermark store; undefined until it has answered. */
  readonly storeId: () => string | undefined;
  /** Read at each request: the policy can change while the signer runs. */
  readonly policy: () => Policy;
  /** What is known of the chain's head, and how near to it requests must be; undefined while the check is off. */
  readonly head: () => { readonly rule: HeadRule; readonly head: Head | undefined } | undefined;
  /** Where a person is asked. */
  readonly confirmations: Confirmations;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly history: History;
  /** How long a signature that needs no watermark may take, in milliseconds. */
  readonly deadline: number;
}

const HEAD_ERRORS = {
  behind: "level-behind-head",
  ahead: "level-ahead-of-head",
  unknown: "head-unknown",
} as const satisfies Record<string, ErrorCode>;

/** The way of every request: parse, policy, a person where the policy says so, watermark guard, key. Nothing else asks a key for a signature. */
export class Pipeline implements RemoteSigner {
  readonly #parts: PipelineParts;
  readonly #journal: Journal;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#journal = new Journal(parts);
  }

  addresses(): readonly string[] {
    return [...this.#parts.keyring.keys.keys()].sort();
  }

  publicKey(address: string): string | undefined {
    return this.#parts.keyring.keys.get(address)?.publicKey.base58;
  }

  async sign(address: string, payload: Uint8Array, client: Client): Promise<string> {
    const started = performance.now();
    const digest = blake2b256(payload);
    const trace: Trace = { key: address, client: client.address, digest: toHex(digest), started, stages: {} };
    try {
      const key = this.#parts.keyring.keys.get(address);
      if (key === undefined) {
        this.#parts.keyring.seek?.();
        throw new SignerError("unknown-key", `${address} is not among the keys of this signer.`);
      }
      const request = parse(payload);
      trace.request = request;
      const verdict = this.#judge(address, request);
      this.#requireOwnStore(key);
      if (request.class === "consensus") this.#judgeHead(request);
      trace.stages.parse = performance.now() - trace.started;
      if (verdict === "confirm") await this.#confirmed(request, payload, client, trace);
      const { signature, source } = await this.#signatureFor(key, request, digest, trace);
      this.#journal.write(trace, source);
      return encodeSignature(key.publicKey.curve, signature);
    } catch (error) {
      this.#journal.write(trace, error instanceof SignerError ? error.code : "internal-error", error);
      throw error;
    }
  }

  #judge(address: string, request: SigningRequest): "allow" | "confirm" {
    const judgement = judge(this.#parts.policy(), address, request);
    if (judgement.verdict === "refuse") throw new SignerError("request-not-allowed", `${judgement.reason}.`);
    return judgement.verdict;
  }

  #judgeHead(request: ConsensusRequest): void {
    const known = this.#parts.head();
    if (known === undefined) return;
    const judgement = judgeHead(known.rule, known.head, request, Date.now());
    if (judgement.verdict === "near") return;
    if (judgement.verdict === "unknown" && known.rule.whenUnknown === "sign") return;
    throw new SignerError(HEAD_ERRORS[judgement.verdict], `${judgement.reason}.`);
  }

  /** Holds a request until a person says yes. The policy may have changed meanwhile, so it is asked again. */
  async #confirmed(request: SigningRequest, payload: Uint8Array, client: Client, trace: Trace): Promise<void> {
    if (request.class === "consensus") throw new Error("a consensus request cannot wait for a person");
    const asked = performance.now();
    try {
      const { key, digest } = trace;
      const words = inWords(request, key, payload);
      await this.#parts.confirmations.ask({ key, client: client.address, digest, words }, client.gone);
    } finally {
      trace.stages.confirm = performance.now() - asked;
    }
    this.#judge(trace.key, request);
  }

  #requireOwnStore(key: SigningKey): void {
    const refused = ofAnotherStore(key, this.#parts.storeId());
    if (refused !== undefined) throw new SignerError("watermark-untrusted", refused);
  }

  async #signatureFor(key: SigningKey, request: SigningRequest, digest: Uint8Array, trace: Trace) {
    if (request.class === "consensus") return this.#guarded(key, request, digest, trace);
    // The guard would find out which store this is; an operation does not ask it.
    if (key.store !== undefined && this.#parts.storeId() === undefined) {
      throw new SignerError("watermark-unavailable", "It has not told yet whether it is the one that guards this key.");
    }
    const asked = performance.now();
    const signature = await signVerified(key, digest, AbortSignal.timeout(this.#parts.deadline));
    trace.stages.sign = performance.now() - asked;
    return { signature, source: "signed" as const };
  }

  async #guarded(key: SigningKey, { chainId, kind, level, round }: ConsensusRequest, digest: Uint8Array, trace: Trace) {
    const { publicKey } = key;
    const { signature, source } = await this.#parts.guard.sign({
      key: { chainId, address: publicKey.address, kind },
      position: { level, round },
      digest: trace.digest,
      sign: async (deadline) => {
        // Again, since the store may have answered, and told its id, only for this request.
        this.#requireOwnStore(key);
        return toHex(await signVerified(key, digest, deadline));
      },
      observe: (stage, milliseconds) => {
        trace.stages[stage] = (trace.stages[stage] ?? 0) + milliseconds;
      },
    });
    const bytes = Buffer.from(signature, "hex");
    // A kept signature comes out of the store, which others write as well.
    if (source === "kept" && !verifySignature(publicKey, digest, bytes)) {
      throw new SignerError("watermark-untrusted", "The signature that is kept for this block is not this key's.");
    }
    return { signature: bytes, source };
  }
}

/**
 * Why a key must not be used with this store: two signers of one key, each with a memory of its own, are the commonest
 * cause of slashing.
 * @param id of the store; undefined while it is not known, and then the guard refuses anyway
 */
export function ofAnotherStore({ location, store }: SigningKey, id: string | undefined): string | undefined {
  if (store === undefined || id === undefined || store === id) return undefined;
  return (
    `${location} is bound to the watermark store ${store}, and this signer has ${id}. Stop the other signer, bring its ` +
    "watermarks here, then bind the key anew (tezos-signer keys bind)."
  );
}

function parse(payload: Uint8Array): SigningRequest {
  try {
    return parsePayload(payload);
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    throw new SignerError("malformed-payload", `${error.message}.`, { cause: error });
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
