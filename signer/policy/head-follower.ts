import { messagesOf } from "../errors.ts";
import { get, outgoingAgent } from "../network/outgoing.ts";
import { Repetition } from "../repetition.ts";
import { type ChainHead, type Head, type HeadRule, headUnknownReason } from "./head.ts";

/** Half of the shortest block time, in milliseconds. */
const PAUSE = 3_000;
/** One answer of the node, in milliseconds. */
const TIMEOUT = 3_000;
/** A header has under 2 KB. */
const MOST_CHARACTERS = 64 * 1024;
const PATH = "chains/main/blocks/head/header";

export interface HeadFollowerOptions {
  /** Read before each poll: undefined while the check is off. */
  readonly rule: () => HeadRule | undefined;
  /** Called when the reason why the head is not known changes; undefined means known. */
  readonly onChange: (problem: string | undefined) => void;
  /** Another pause between two polls, for tests, in milliseconds. */
  readonly pause?: number;
}

/** Polls a node's head beside the requests: none of them ever waits for the node. */
export class HeadFollower implements ChainHead {
  readonly #options: HeadFollowerOptions;
  readonly #repetition = new Repetition();
  #node: string | undefined;
  #head: Head | undefined;
  #failure: string | undefined;
  #known: boolean | undefined;

  constructor(options: HeadFollowerOptions) {
    this.#options = options;
  }

  /** The head of the node that the settings name now, however old. */
  get head(): Head | undefined {
    const rule = this.#options.rule();
    return rule && this.of(rule.node);
  }

  of(node: string): Head | undefined {
    return node === this.#node ? this.#head : undefined;
  }

  /** Why the head is not known; undefined while it is, and while the check is off. */
  problem(now = Date.now()): string | undefined {
    const rule = this.#options.rule();
    if (rule === undefined) return undefined;
    const reason = headUnknownReason(this.head, rule, now);
    if (reason === undefined) return undefined;
    const cause = this.#failure === undefined ? "" : ` (${this.#failure})`;
    const then = rule.whenUnknown === "sign" ? "requests are signed without the check" : "nothing is signed";
    return `The chain's head is not known: ${reason}${cause}; ${then}.`;
  }

  /** Polls from now on. */
  start(): void {
    this.#repetition.start(
      "work",
      () => this.#poll(),
      () => this.#options.pause ?? PAUSE,
    );
  }

  /** Ends the poll that is under way, and polls no more. */
  async stop(): Promise<void> {
    await this.#repetition.stop();
  }

  async #poll(): Promise<void> {
    const rule = this.#options.rule();
    if (rule !== undefined) await this.#readHead(rule.node);
    if (!this.#repetition.signal.aborted) this.#report();
  }

  async #readHead(node: string): Promise<void> {
    if (node !== this.#node) this.#head = undefined;
    this.#node = node;
    try {
      this.#head = await fetchHead(node, AbortSignal.any([this.#repetition.signal, AbortSignal.timeout(TIMEOUT)]));
      this.#failure = undefined;
    } catch (error) {
      this.#failure = reasonOf(error);
    }
  }

  #report(): void {
    if (this.#options.rule() === undefined) return;
    const problem = this.problem();
    const known = problem === undefined;
    if (known !== this.#known) this.#options.onChange(problem);
    this.#known = known;
  }
}

/** GET /chains/main/blocks/head/header of a node (octez RPC). @throws Error that says why it gives no head */
async function fetchHead(node: string, signal: AbortSignal): Promise<Head> {
  const url = new URL(PATH, node.endsWith("/") ? node : `${node}/`);
  const agent = outgoingAgent(url);
  const { status, text } = await get(url, { agent, signal, most: MOST_CHARACTERS });
  if (status !== 200) throw new Error(`the node answered with status ${status}`);
  const header = headerOf(text);
  const timestamp = typeof header?.timestamp === "string" ? Date.parse(header.timestamp) : Number.NaN;
  const { chain_id: chainId, level } = header ?? {};
  const isHeader = /^Net\w{12}$/.test(chainId) && Number.isInteger(level) && level >= 0 && !Number.isNaN(timestamp);
  if (!isHeader) throw new Error("the node's answer is no block header");
  return { chainId, level, timestamp, seenAt: Date.now() };
}

/** What is no JSON is not repeated: whatever stands there would reach the log and /status. */
function headerOf(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return `no answer within ${TIMEOUT} ms`;
  return messagesOf(error);
}
