import { requireAllowedAddress } from "../admission/allowed-addresses.ts";
import { requireAuthenticated } from "../admission/authentication.ts";
import type { Confirmations } from "../confirmation/confirmations.ts";
import { describe } from "../confirmation/describe.ts";
import { type ErrorCode, SignerError } from "../errors.ts";
import type { Keyring, SigningKey } from "../keys/keyring.ts";
import { requireOwnStore } from "../keys/store-binding.ts";
import { signVerified } from "../keys/verified-signature.ts";
import { cureOf, type SettingsHome } from "../policy/cure.ts";
import { type ChainHead, decideByHead } from "../policy/head.ts";
import { decideByPolicy, type Policy } from "../policy/policy.ts";
import { encodeSignature, verifySignature } from "../tezos/crypto/signature.ts";
import { type ConsensusRequest, parsePayload, type SigningRequest } from "../tezos/payload/payload.ts";
import { PayloadError } from "../tezos/payload/reader.ts";
import type { Guard } from "../watermark/guard.ts";
import type { RemoteSigner } from "./remote-signer.ts";
import type { CurrentSettings, RequestSettings, SigningCall } from "./request-context.ts";

export interface SigningServiceParts {
  readonly keyring: Keyring;
  readonly guard: Guard;
  /** The watermark store; its id is undefined until it has answered. */
  readonly store: { readonly id: string | undefined };
  /** The newest settings: what a person has approved is judged once more by them. */
  readonly settings: CurrentSettings;
  /** Where whoever is refused has them changed. */
  readonly settingsHome: SettingsHome;
  readonly head: ChainHead;
  /** Where a person is asked. */
  readonly confirmations: Confirmations;
  /** How long a signature that needs no watermark may take, in milliseconds. */
  readonly budget: number;
}

const HEAD_ERRORS = {
  behind: "level-behind-head",
  ahead: "level-ahead-of-head",
  unknown: "head-unknown",
} as const satisfies Record<string, ErrorCode>;

/**
 * Handles one signing request: parse, policy, a person where the policy says so, watermark guard, key. The only caller of
 * SigningKey.sign in a running signer.
 */
export class SigningService implements RemoteSigner {
  readonly #parts: SigningServiceParts;
  /** When it was asked last, as performance.now() tells it. */
  askedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: SigningServiceParts) {
    this.#parts = parts;
  }

  addresses(): readonly string[] {
    return [...this.#parts.keyring.keys.keys()].sort();
  }

  publicKey(address: string): string {
    return this.#find(address).publicKey.base58;
  }

  async sign(call: SigningCall): Promise<string> {
    this.askedAt = call.started;
    const { settings, address } = call;
    let key = this.#find(address);
    const request = parse(call.payload);
    call.request = request;
    const permission = this.#requirePermission(settings, key, request);
    const highestByHead = request.type === "consensus" ? this.#requireNearHead(call, request) : undefined;
    call.stages.parse = performance.now() - call.started;
    if (permission === "confirm") {
      await this.#requireApproval(call, request);
      // That may have taken minutes, so everything is asked again, in its newest version.
      const newest = this.#parts.settings.current;
      requireAllowedAddress(newest, call.client);
      requireAuthenticated(newest, call.authentication, address, call.payload);
      key = this.#find(address);
      this.#requirePermission(newest, key, request);
    }
    const signature =
      request.type === "consensus"
        ? await this.#signGuarded(key, call, request, highestByHead)
        : await this.#signAtOnce(key, call);
    return encodeSignature(key.publicKey.curve, signature);
  }

  #find(address: string): SigningKey {
    const key = this.#parts.keyring.keys.get(address);
    if (key !== undefined) return key;
    this.#parts.keyring.refresh?.();
    // octez asks again after a 502 and gives up after a 404, so none is told that a key is not here before that is known.
    const unseen = this.#parts.keyring.unseen?.();
    if (unseen !== undefined) throw new SignerError("vault-unavailable", `${address} may be here. ${unseen}`);
    throw new SignerError("unknown-key", `${address} is not among the keys of this signer.`);
  }

  /** Requires that the key may sign the request by its policy, and with this signer's watermark store. */
  #requirePermission({ policy }: RequestSettings, key: SigningKey, request: SigningRequest): "allow" | "confirm" {
    const permission = requireAllowed(policy, key.publicKey.address, request, this.#parts.settingsHome);
    const binding = requireOwnStore(key, this.#parts.store.id);
    // The guard asks the store, which then has told its id; nothing else does.
    if (request.type !== "consensus" && binding === "unknown") {
      throw new SignerError("watermark-unavailable", "It has not told yet whether it is the one that guards this key.");
    }
    return permission;
  }

  /** Returns the highest level that the head explains; undefined where no head is known or followed. */
  #requireNearHead({ settings: { head: rule } }: SigningCall, request: ConsensusRequest): number | undefined {
    if (rule === undefined) return undefined;
    const decision = decideByHead(rule, this.#parts.head.of(rule.node), request, Date.now());
    if (decision.verdict === "near") return decision.highest;
    if (decision.verdict === "unknown" && rule.whenUnknown === "sign") return undefined;
    throw new SignerError(HEAD_ERRORS[decision.verdict], `${decision.reason}.`);
  }

  /** Holds a request until a person approves it. */
  async #requireApproval(call: SigningCall, request: SigningRequest): Promise<void> {
    if (request.type === "consensus") throw new Error("a consensus request cannot wait for a person");
    const { address: key, client, digest, gone, payload, stages } = call;
    const asked = performance.now();
    try {
      const description = describe(request, key, payload);
      await this.#parts.confirmations.ask({ key, client, digest: toHex(digest), ...description }, gone);
    } finally {
      stages.confirm = performance.now() - asked;
    }
  }

  /** Signs what has no watermark. */
  async #signAtOnce(key: SigningKey, call: SigningCall): Promise<Uint8Array> {
    const asked = performance.now();
    const signature = await signVerified(key, call.digest, AbortSignal.timeout(this.#parts.budget), call.payload);
    call.stages.sign = performance.now() - asked;
    call.source = "signed";
    return signature;
  }

  async #signGuarded(
    key: SigningKey,
    call: SigningCall,
    request: ConsensusRequest,
    highestByHead: number | undefined,
  ): Promise<Uint8Array> {
    const { publicKey } = key;
    const { digest, payload, stages } = call;
    const { chainId, kind, level, round } = request;
    const { signature, source } = await this.#parts.guard.sign({
      key: { chainId, address: publicKey.address, kind },
      position: { level, round },
      digest: toHex(digest),
      highestByHead,
      sign: async (deadline) => {
        // Once more, since the store may have answered, and told its id, only for this request.
        requireOwnStore(key, this.#parts.store.id);
        return toHex(await signVerified(key, digest, deadline, payload));
      },
      observe: (stage, milliseconds) => {
        stages[stage] = (stages[stage] ?? 0) + milliseconds;
      },
    });
    const bytes = Buffer.from(signature, "hex");
    // A kept signature comes out of the store, which others write as well.
    if (source === "kept" && !verifySignature(publicKey, digest, bytes)) {
      throw new SignerError("watermark-untrusted", "The signature that is kept for this block is not this key's.");
    }
    call.source = source;
    return bytes;
  }
}

/** @throws SignerError `request-not-allowed` */
function requireAllowed(
  policy: Policy,
  address: string,
  request: SigningRequest,
  home: SettingsHome,
): "allow" | "confirm" {
  const decision = decideByPolicy(policy, address, request);
  if (decision.verdict !== "refuse") return decision.verdict;
  const { reason, lack } = decision;
  throw new SignerError("request-not-allowed", `${reason}. ${cureOf(policy, address, lack, home)}`);
}

/** @throws SignerError `malformed-payload` */
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
