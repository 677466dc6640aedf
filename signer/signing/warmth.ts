import { setImmediate } from "node:timers/promises";
import { Confirmations } from "../confirmation/confirmations.ts";
import type { SigningKey } from "../keys/keyring.ts";
import { CURVES, type Curve } from "../tezos/crypto/curve.ts";
import { blake2b256 } from "../tezos/crypto/digest.ts";
import { publicKeyFromPoint } from "../tezos/crypto/public-key.ts";
import { Guard } from "../watermark/guard.ts";
import type { WatermarkStore } from "../watermark/stores/store.ts";
import { TrustedStore } from "../watermark/trusted-store.ts";
import { BUDGETS } from "./budgets.ts";
import { type RequestSettings, signingCall } from "./request-context.ts";
import { SigningService } from "./signing-service.ts";

/** Exercises before the ports open. */
const FIRST_ROUNDS = 3;
/** Between two exercises, in milliseconds. */
const PAUSE = 500;

export type WarmthParts = Pick<ConstructorParameters<typeof Confirmations>[0], "logger">;

/**
 * Keeps the way of a request warm: a baker asks three times in six seconds, and in between caches go cold and code that is
 * seldom run is compiled away. From parsing to the signature in base58check, one vote for each curve is signed now and then,
 * with a throw-away key in memory, on a store that keeps nothing. So nothing of it is asked of a vault, reserved, logged or
 * counted. docs/performance.md says what it costs.
 */
export class Warmth {
  readonly #logger: WarmthParts["logger"];
  readonly #keys: readonly ExerciseKey[];
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor({ logger }: WarmthParts) {
    this.#logger = logger;
    this.#keys = (Object.keys(CURVES) as Curve[]).map((curve) => new ExerciseKey(curve));
  }

  /** Exercises for the first time, before anybody can ask. Never rejects. */
  async begin(): Promise<void> {
    for (let round = 0; round < FIRST_ROUNDS && !this.#isStopped; round += 1) {
      if (!(await this.exercise())) this.stop();
      await setImmediate(); // a signal, or an answer of the network
    }
  }

  /** Keeps it warm from now on. @param askedAt when a request did that last, by performance.now() */
  keep(askedAt: () => number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#exerciseUnlessBusy(askedAt), PAUSE).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Signs one vote with each throw-away key. @returns whether that went well; if not, it is told once and left */
  async exercise(): Promise<boolean> {
    try {
      for (const key of this.#keys) await key.exercise(this.#logger);
      return true;
    } catch (error) {
      this.#logger.debug({ error: String(error) }, "the signing path is not kept warm");
      return false;
    }
  }

  async #exerciseUnlessBusy(askedAt: () => number): Promise<void> {
    if (performance.now() >= askedAt() + PAUSE && !(await this.exercise())) this.stop();
    this.keep(askedAt);
  }
}

/** A throw-away key that signs one vote, always the same one. */
class ExerciseKey implements SigningKey {
  readonly publicKey;
  readonly location = "memory";
  readonly #signature: Uint8Array;

  constructor(curve: Curve) {
    const { ecdsa } = CURVES[curve];
    const secret = ecdsa.utils.randomSecretKey();
    this.publicKey = publicKeyFromPoint(curve, ecdsa.getPublicKey(secret));
    this.#signature = ecdsa.sign(blake2b256(VOTE), secret, { prehash: false, lowS: true });
  }

  async sign(): Promise<Uint8Array> {
    return this.#signature;
  }

  async exercise(logger: WarmthParts["logger"]): Promise<void> {
    const { address } = this.publicKey;
    const store = new TrustedStore({ store: new NoStore(), initialise: "always", clock: Date.now });
    const service = new SigningService({
      keyring: { keys: new Map([[address, this]]), close: async () => undefined },
      store,
      guard: new Guard({ store, maxStep: 100, minimalBlockDelay: 1, budgets: BUDGETS, clock: Date.now }),
      settings: { current: SETTINGS },
      head: { of: () => undefined },
      confirmations: new Confirmations({ logger }),
      budget: BUDGETS.other,
    });
    const { signal } = new AbortController();
    await service.sign(
      signingCall({ settings: SETTINGS, client: "127.0.0.1" }, address, VOTE, signal, () => undefined),
    );
  }
}

const SETTINGS: RequestSettings = {
  policy: { default: { allow: ["attestation"] }, keys: new Map() },
  listKnownKeys: false,
};

/** An attestation (tag 21) of level 1 on no chain: magic byte, chain, branch, tag, slot, level, round, payload hash. */
const VOTE = Buffer.from(`13${"00".repeat(36)}15${"0000"}${"00000001"}${"00000000"}${"00".repeat(32)}`, "hex");

/** A store that has nothing and keeps nothing. */
class NoStore implements WatermarkStore {
  readonly isShared = false;
  async identity(): Promise<string> {
    return "none";
  }
  async establish(): Promise<void> {}
  async now(): Promise<number> {
    return Date.now();
  }
  async read(): Promise<undefined> {
    return undefined;
  }
  async insert(): Promise<string> {
    return "1";
  }
  async replace(): Promise<string> {
    return "2";
  }
  async list(): Promise<[]> {
    return [];
  }
  async close(): Promise<void> {}
}
