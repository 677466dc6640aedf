import type { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { TokenCredential } from "@azure/identity";
import type { KeyClient, KeyClientOptions } from "@azure/keyvault-keys";
import { keyVaultSdk } from "../../azure/sdk.ts";
import { settledWithin, within } from "../../deadline.ts";
import { outgoingAgent } from "../../network/outgoing.ts";
import { isLoopback, readServiceUrl } from "../../network/url.ts";
import type { FaultLog } from "../fault-log.ts";
import { faultOfAnswer, faultOfError, type VaultAnswer, VaultFault, type VaultFaultKind } from "./fault.ts";
import type { UsableKey } from "./key-selection.ts";
import { Patience } from "./patience.ts";
import { type SignCall, send, signCall } from "./sign-call.ts";
import { audience, FreshToken } from "./token.ts";

type Policy = NonNullable<KeyClientOptions["additionalPolicies"]>[number]["policy"];
type Request = Parameters<Policy["sendRequest"]>[0];
type Next = Parameters<Policy["sendRequest"]>[1];

/** One try: sends with the token, and ends with the signal. */
type Try<Response> = (token: string, signal: AbortSignal) => Promise<Response>;

/** Pauses between tries, in milliseconds; the last one is kept. A reset is answered by a new connection at once. */
const PAUSES = [20, 40, 80, 100];
/** The longest pause that the service's Retry-After may ask for, in milliseconds: a block slot is a few seconds. */
const LONGEST_PAUSE = 500;
/** What a page of a list may take, tries included, in milliseconds. */
const PAGE_TIMEOUT = 5_000;
/** How often one request may be refused with 401 before it is given up. */
const MOST_REFUSALS = 3;
/** Faults by which the vault itself speaks of one key or of a right to it. */
const REFUSALS: ReadonlySet<VaultFaultKind> = new Set([
  "permission",
  "key-disabled",
  "key-unusable",
  "key-missing",
  "refused",
]);

export interface VaultClientOptions {
  /** `https://NAME.vault.azure.net`; `http:` on loopback only. */
  readonly vault: string;
  readonly credential: TokenCredential;
  readonly log: FaultLog;
  /** Absent: one that leads to the vault. */
  readonly agent?: Agent;
  /** One try, from the first byte sent to the last byte of the body, in milliseconds. */
  readonly tryTimeout: number;
}

/**
 * One way to a vault: for the SDK's KeyClient, which builds requests and reads answers, and for the sign call, which is made
 * without it. What happens in between is decided here, for the SDK in a policy of its pipeline: the token goes with every
 * request, each try has its time-out (the SDK's ends with the headers), and tries go on until the caller's signal ends. The SDK's own retries are off: they wait 0.5 to 1 s
 * after one reset, obey a Retry-After of any length, and give up at a 429 that has none.
 *
 * Since the token is always sent, the SDK's challenge state never gets to hold back a body, which it can lose when cold
 * requests race. The policy answers for every status but 2xx, so the layers above see good answers only.
 */
export class VaultClient {
  readonly keys: KeyClient;
  readonly #origin: string;
  readonly #agent: Agent;
  readonly #token: FreshToken;
  readonly #log: FaultLog;
  readonly #tryTimeout: number;
  readonly #patience = new Patience();
  #outage: VaultFault | undefined;

  constructor({ vault, credential, log, tryTimeout, agent }: VaultClientOptions) {
    const url = readServiceUrl(vault, { plainHttp: "loopback", path: "refused" });
    if ("fault" in url) throw new TypeError(`the vault's address must be https: ${url.fault}`);
    const { origin, protocol, hostname } = url;
    const loopback = isLoopback(hostname);
    this.#origin = origin;
    this.#agent = agent ?? outgoingAgent(url, { keepAlive: true });
    this.#log = log;
    this.#tryTimeout = tryTimeout;
    this.#token = new FreshToken(credential, `${audience(hostname, loopback)}/.default`, (fault) =>
      log.fault(fault, { vault: origin }),
    );
    this.#token.begin();
    const policy: Policy = { name: "tezosSignerVault", sendRequest: (request, next) => this.#send(request, next) };
    const { KeyClient } = keyVaultSdk();
    this.keys = new KeyClient(origin, credential, {
      retryOptions: { maxRetries: 0 },
      redirectOptions: { maxRetries: 0 },
      allowInsecureConnection: protocol === "http:",
      disableChallengeResourceVerification: loopback,
      additionalPolicies: [{ policy, position: "perRetry" }],
    });
  }

  /** How long the access token lives still, in milliseconds; undefined while there is none. */
  get tokenLife(): number | undefined {
    return this.#token.life;
  }

  /** What the last call came to nothing by, where nobody answered it as the vault does; undefined once one was answered. */
  get outage(): VaultFault | undefined {
    return this.#outage;
  }

  close(): void {
    this.#token.close();
    this.#agent.destroy();
  }

  /** Asks for a signature. @param digest 32 bytes @returns a good answer @throws VaultFault */
  sign(key: UsableKey, digest: Uint8Array, signal: AbortSignal): Promise<VaultAnswer> {
    const call = signCall(this.#origin, key, digest);
    const where = { vault: this.#origin, path: `POST ${call.url.pathname}`, requestId: call.requestId };
    return this.#untilGood(call.url, where, signal, (token, within) => this.#askTwiceIfLate(call, token, within));
  }

  /**
   * Asks once, and a second time on another connection where the first answer is late. Either signature is the key's, and
   * one of them is read: which one comes first is the answer, unless it is a fault and the other is not.
   */
  async #askTwiceIfLate(call: SignCall, token: string, signal: AbortSignal): Promise<VaultAnswer> {
    const over = new AbortController();
    const ends = AbortSignal.any([signal, over.signal]);
    const ask = () => send(call, { agent: this.#agent, token, signal: ends });
    const began = performance.now();
    let isLate = true;
    const first = ask();
    const answered = () => {
      isLate = false;
    };
    first.then(answered, answered);
    await settledWithin(first, this.#patience.limit, signal);
    if (!isLate || signal.aborted || !this.#patience.take()) return this.#noted(await first, began);
    try {
      return this.#noted(await firstGood(first, ask()), began);
    } finally {
      over.abort(); // the connection on which no answer came is none to keep
    }
  }

  /** Notes how long an answer took, where it is good. */
  #noted(answer: VaultAnswer, began: number): VaultAnswer {
    if (faultOfAnswer(answer) === undefined) this.#patience.answered(performance.now() - began);
    return answer;
  }

  async #send(request: Request, next: Next): ReturnType<Next> {
    // The SDK forgets the caller's signal when it follows a list to its next page.
    const signal = (request.abortSignal as AbortSignal | undefined) ?? AbortSignal.timeout(PAGE_TIMEOUT);
    request.agent = this.#agent;
    const url = new URL(request.url);
    const where = { vault: this.#origin, path: `${request.method} ${url.pathname}`, requestId: request.requestId };
    return this.#untilGood(url, where, signal, (token, within) => {
      request.headers.set("Authorization", `Bearer ${token}`);
      request.abortSignal = within;
      return next(request);
    });
  }

  /**
   * Tries until an answer is good, a fault cannot heal, or the caller's signal ends.
   * @param where the request, for the log
   * @throws VaultFault
   */
  async #untilGood<Response extends VaultAnswer>(
    url: URL,
    where: object,
    signal: AbortSignal,
    once: Try<Response>,
  ): Promise<Response> {
    if (url.origin !== this.#origin) {
      throw new VaultFault("answer", "It pointed to another host, which gets no token.");
    }
    let last: VaultFault | undefined;
    let refusals = 0;
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        const response = await this.#try(once, signal);
        this.#log.success();
        this.#outage = undefined;
        return response;
      } catch (error) {
        const fault = faultOfError(error);
        if (signal.aborted) {
          last ??= fault;
          break;
        }
        last = fault;
        this.#log.fault(fault, { ...where, tries });
        if (fault.kind === "unauthorized") refusals += 1;
        if (fault.kind === "throttled") this.#patience.throttled();
        if (!fault.retryable || refusals >= MOST_REFUSALS) throw this.#given(fault);
        await this.#beforeNext(fault, tries, signal);
      }
    }
    throw this.#given(last ?? new VaultFault("timeout", "There was no time left to ask."));
  }

  /** Notes what a call was given up for. Where the vault itself has refused it, that is told of the key, and is no outage. */
  #given(fault: VaultFault): VaultFault {
    this.#outage = REFUSALS.has(fault.kind) ? undefined : fault;
    return fault;
  }

  async #try<Response extends VaultAnswer>(once: Try<Response>, signal: AbortSignal): Promise<Response> {
    const token = await this.#token.current(signal);
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), this.#tryTimeout);
    const ends = AbortSignal.any([signal, timeout.signal]);
    try {
      // No layer below is trusted to end with the signal.
      const response = await within(once(token, ends), ends, () => new Error("ended"));
      clearTimeout(timer); // a token that must be renewed takes its own time
      const fault = faultOfAnswer(response);
      if (fault?.kind === "unauthorized") await this.#token.renew(token, signal);
      if (fault !== undefined) throw fault;
      return response;
    } catch (error) {
      if (!signal.aborted && timeout.signal.aborted) {
        throw new VaultFault("timeout", `It did not answer within ${this.#tryTimeout} ms.`);
      }
      if (signal.aborted && !(error instanceof VaultFault)) {
        throw new VaultFault("timeout", "It did not answer before the request's deadline.");
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #beforeNext(fault: VaultFault, tries: number, signal: AbortSignal): Promise<void> {
    if (fault.kind === "connection" || fault.kind === "timeout") {
      // What cut one connection cut the idle ones as well; the next try is to make a new one.
      for (const socket of Object.values(this.#agent.freeSockets).flat()) socket?.destroy();
      if (fault.kind === "connection" && tries === 1) return;
    }
    const usual = PAUSES[Math.min(tries - 1, PAUSES.length - 1)] ?? 0;
    const pause = Math.min(fault.retryAfter ?? usual * (0.5 + Math.random() / 2), LONGEST_PAUSE);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** Which of two answers comes first and is good; where neither is, the first one's fault. */
async function firstGood(first: Promise<VaultAnswer>, second: Promise<VaultAnswer>): Promise<VaultAnswer> {
  const good = async (asked: Promise<VaultAnswer>) => {
    const answer = await asked;
    if (faultOfAnswer(answer) !== undefined) throw new Error("not good");
    return answer;
  };
  return Promise.any([good(first), good(second)]).catch(() => first);
}
