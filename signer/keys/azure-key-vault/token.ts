import { setTimeout as sleep } from "node:timers/promises";
import type { TokenCredential } from "@azure/identity";
import { settled } from "../../deadline.ts";
import { messageOf } from "../../errors.ts";
import { VaultFault } from "./fault.ts";

/** One attempt at a token, in milliseconds; the metadata service answers in tens of them. */
const TRY_TIMEOUT = 2_000;
/**
 * Pauses between failed attempts, in milliseconds; the last one is kept, for hours where it must be: with the attempt before
 * it, it is what a signature waits for when the service is back, and that is to be less than five seconds.
 */
const PAUSES = [200, 500, 1_000, 2_000];
/** A token this near to its end, in milliseconds, is not used any more: it might end on the way. */
const MARGIN = 1_000;
/** A token that the service refuses is asked for again no sooner than this, in milliseconds. */
const RENEWAL_INTERVAL = 1_000;
/** setTimeout takes no more, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * The access token of one resource, kept fresh beside the hot path: renewed when half of its life is over, so that a
 * metadata service that is away for hours costs no signature, and renewed at once when the service refuses it.
 */
export class FreshToken {
  readonly #credential: TokenCredential;
  readonly #scope: string;
  readonly #onFault: (fault: VaultFault) => void;
  readonly #closed = new AbortController();
  #value: string | undefined;
  /** Monotonic, milliseconds: the wall clock may be set while a token lives. */
  #expiresAt = 0;
  #running: Promise<void> | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  /** Counts successes: a renewal that was planned for an earlier one is no longer wanted. */
  #successes = 0;

  /** @param onFault told of each failed attempt */
  constructor(credential: TokenCredential, scope: string, onFault: (fault: VaultFault) => void) {
    this.#credential = credential;
    this.#scope = scope;
    this.#onFault = onFault;
  }

  /** How long the token lives still, in milliseconds; undefined while there is none. */
  get life(): number | undefined {
    return this.#value === undefined ? undefined : this.#expiresAt - performance.now();
  }

  /** Asks for the first one, for whoever wants it later. */
  begin(): void {
    void this.#untilRenewed();
  }

  /**
   * The token; without waiting while there is one.
   * @throws VaultFault `token` if there is none when the signal ends
   */
  async current(signal: AbortSignal): Promise<string> {
    while (!this.#closed.signal.aborted) {
      if (this.#value !== undefined && performance.now() < this.#expiresAt - MARGIN) return this.#value;
      await settled(this.#untilRenewed(), signal);
      if (signal.aborted) break;
    }
    throw new VaultFault("token", "There is no access token.");
  }

  /** The service refused this token: gets another one, unless that was just done. Ends after one attempt, good or not. */
  async renew(refused: string, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    if (this.#value !== refused || now < this.#renewedAt + RENEWAL_INTERVAL) return;
    this.#renewedAt = now;
    await settled(
      this.#attempt().catch((error: unknown) => this.#onFault(tokenFault(error))),
      signal,
    );
  }

  close(): void {
    this.#closed.abort();
  }

  /** Attempts until one succeeds, shared by all who wait. */
  #untilRenewed(): Promise<void> {
    this.#running ??= this.#attempts().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #attempts(): Promise<void> {
    for (let failures = 0; !this.#closed.signal.aborted; failures += 1) {
      try {
        return await this.#attempt();
      } catch (error) {
        this.#onFault(tokenFault(error));
        await this.#pause(PAUSES[Math.min(failures, PAUSES.length - 1)] ?? 0);
      }
    }
  }

  async #attempt(): Promise<void> {
    const abortSignal = AbortSignal.any([AbortSignal.timeout(TRY_TIMEOUT), this.#closed.signal]);
    const token = await this.#credential.getToken(this.#scope, { abortSignal });
    if (token === null) throw new Error("there is none for this credential");
    const life = token.expiresOnTimestamp - Date.now();
    if (!(life > MARGIN)) throw new Error("the one that came has ended already");
    this.#value = token.token;
    this.#expiresAt = performance.now() + life;
    this.#successes += 1;
    void this.#renewLater(this.#successes, life / 2);
  }

  async #renewLater(success: number, delay: number): Promise<void> {
    await this.#pause(Math.min(Math.max(delay, MARGIN), LONGEST_TIMER));
    if (this.#successes === success && !this.#closed.signal.aborted) await this.#untilRenewed();
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#closed.signal, ref: false }).catch(() => undefined);
  }
}

function tokenFault(error: unknown): VaultFault {
  const reason = messageOf(error);
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return new VaultFault("token", `No access token could be had (${`${reason}${cause}`.slice(0, 300)}).`);
}

/** Returns what a token must be for: `https://vault.azure.net`, or the same name in another cloud. */
export function audience(hostname: string, loopback: boolean): string {
  return loopback ? "https://vault.azure.net" : `https://${hostname.split(".").slice(1).join(".")}`;
}
