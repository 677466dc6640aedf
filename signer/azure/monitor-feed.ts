import { setTimeout as sleep } from "node:timers/promises";
import type { AccessToken, TokenCredential } from "@azure/identity";
import { messageOf } from "../errors.ts";
import { type Answer, outgoingAgent, post } from "../network/outgoing.ts";
import { ManagedIdentity } from "./managed-identity.ts";

/**
 * The token's audience has a slash at its end, and Azure Monitor refuses one without (metrics-store-custom-rest-api, "Be sure
 * to include the trailing slash"); so the scope has two.
 */
const SCOPE = "https://monitoring.azure.com//.default";
/** Azure Monitor keeps figures by the minute, in milliseconds. */
const PAUSE = 60_000;
/** One token, or one post, in milliseconds. */
const PATIENCE = 10_000;
/** A token this near to its end, in milliseconds, is not used any more. */
const MARGIN = 120_000;
/** Longest wait that Azure may ask for, in milliseconds: its clock, or its header, may be wrong. */
const LONGEST_WAIT = 600_000;
const MAX_ANSWER = 20_000;

export interface MonitorFeedParts {
  /** The region's endpoint: that of the region in which the resource is. */
  readonly endpoint: string;
  /** Id of the Azure resource whose figures they are. */
  readonly resource: string;
  /** Of the machine's identity. */
  readonly clientId?: string | undefined;
  readonly log: Record<"info" | "warn", (message: string) => void>;
  /** Takes the figures of now. */
  take(): Promise<{ readonly body: string; sent(): void }>;
  /** Another pause than a minute, for tests, in milliseconds. */
  readonly pause?: number;
}

/**
 * Sends the signer's figures to Azure Monitor once a minute, beside everything else. What fails is told once for each reason,
 * and comes with the next minute's; no request waits for it.
 */
export class MonitorFeed {
  readonly #parts: MonitorFeedParts;
  readonly #url: URL;
  readonly #credential: TokenCredential;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #token: AccessToken | undefined;
  /** Why the last figures were not taken; undefined where they were, null before the first ones. */
  #problem: string | undefined | null = null;
  /** Monotonic, in milliseconds. */
  #notBefore = 0;

  /** @throws StartError for a proxy that cannot be used */
  constructor(parts: MonitorFeedParts) {
    this.#parts = parts;
    this.#url = new URL(`${parts.resource}/metrics`, parts.endpoint);
    this.#credential = new ManagedIdentity(parts.clientId);
    this.#running = this.#repeat(outgoingAgent(this.#url));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #repeat(agent: ReturnType<typeof outgoingAgent>): Promise<void> {
    const { signal } = this.#stopped;
    for (;;) {
      await sleep(this.#parts.pause ?? PAUSE, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      if (performance.now() < this.#notBefore) continue;
      const problem = await this.#send(agent).catch((error: unknown) => `Azure Monitor: ${messageOf(error)}.`);
      if (!signal.aborted) this.#note(problem);
    }
  }

  /** @returns why the figures were not taken, in a sentence; undefined where they were */
  async #send(agent: ReturnType<typeof outgoingAgent>): Promise<string | undefined> {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(PATIENCE)]);
    if (this.#token === undefined || this.#token.expiresOnTimestamp - Date.now() < MARGIN) {
      this.#token = (await this.#credential.getToken(SCOPE, { abortSignal: signal })) ?? undefined;
    }
    const figures = await this.#parts.take();
    const headers = {
      authorization: `Bearer ${this.#token?.token}`,
      "content-type": "application/x-ndjson",
      "content-length": `${Buffer.byteLength(figures.body)}`,
    };
    const answer = await post(this.#url, figures.body, { agent, headers, signal, most: MAX_ANSWER });
    const problem = problemOf(answer);
    if (problem === undefined) figures.sent();
    if (answer.status === 401) this.#token = undefined;
    const seconds = Number(answer.headers["retry-after"]);
    if (problem !== undefined && seconds > 0)
      this.#notBefore = performance.now() + Math.min(1_000 * seconds, LONGEST_WAIT);
    return problem;
  }

  #note(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem === undefined) this.#parts.log.info("Azure Monitor takes the signer's figures");
    else this.#parts.log.warn(`${problem} The figures come with the next minute's.`);
  }
}

/** Says why an answer is a refusal: its status, or, with 200, what its body says. Nothing of Azure's own sentence is repeated. */
function problemOf({ status, text }: Answer): string | undefined {
  const body = fieldsOf(text);
  const inside = (body.apiFailureResponse as { error?: { code?: unknown } } | undefined)?.error;
  if (status >= 200 && status < 300 && !inside) return undefined;
  const code = (inside ?? (body.error as { code?: unknown } | undefined))?.code;
  const word = typeof code === "string" && /^\w{1,80}$/.test(code) ? `, ${code}` : "";
  const hint =
    status === 403 ? " The machine's identity may not write metrics, or not yet: a new role takes some minutes." : "";
  return `Azure Monitor refuses the signer's figures (${status}${word}).${hint}`;
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
