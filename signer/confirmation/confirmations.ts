import type { Logger } from "pino";
import { type ErrorCode, SignerError } from "../errors.ts";
import { RateLimit } from "../rate-limit.ts";

/** A request that waits for a person. */
export interface Question {
  /** Public key hash of the key asked for. */
  readonly key: string;
  /** IP address of the client. */
  readonly client: string;
  /** Blake2b-256 of the payload, hex. */
  readonly digest: string;
  /** The request in words, line by line, for a terminal. */
  readonly words: readonly string[];
}

/** A question that waits for its answer, with its number and its dates. */
export interface PendingRequest extends Question {
  readonly id: number;
  /** ISO 8601. */
  readonly since: string;
  readonly until: string;
}

/** A person who is connected, as the questions see them. */
export interface Operator {
  /** Names the connection in the log. */
  readonly name: string;
  /** A question to be answered. */
  show(asked: PendingRequest): void;
  /** The question needs no answer any more. @param reason whole words, for the terminal */
  withdraw(id: number, reason: string): void;
}

export interface ConfirmationsOptions {
  readonly logger: Logger;
  /** How long a question waits, in milliseconds. */
  readonly patience?: number;
  /** How many wait at once; more are refused. */
  readonly capacity?: number;
}

/** A person needs a minute or two to read; a client that waits longer has been forgotten. */
const PATIENCE = 5 * 60_000;
/** More than a person reads with care, and too few to fill memory: a question has at most a few times 32 KiB. */
const CAPACITY = 16;
/**
 * After a yes the same bytes are not asked about again for so long, in milliseconds: octez repeats them where the key
 * answered 502, and the chain takes them only once.
 */
const REMEMBERED = 60_000;

/** Between two lines about questions that nobody answered, in milliseconds: a client can ask and give up without end. */
const UNANSWERED_INTERVAL = 10_000;

interface Waiting {
  readonly asked: PendingRequest;
  readonly settle: (error?: SignerError) => void;
  readonly settled: Promise<void>;
  /** Clients that ask for these same bytes; without any the question is withdrawn. */
  clients: number;
}

/**
 * Holds requests open until a person answers. Everyone connected sees every question, and the first answer counts. A
 * question is refused at once where nobody is connected, and when the last one leaves. Nothing here is on the way of a
 * block or a vote.
 */
export class Confirmations {
  readonly #logger: Logger;
  readonly #patience: number;
  readonly #capacity: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #operators = new Set<Operator>();
  /** When the same key and digest were confirmed, on the monotonic clock. */
  readonly #confirmed = new Map<string, number>();
  readonly #unanswered = new RateLimit(UNANSWERED_INTERVAL);
  #lastId = 0;
  #stopped = false;

  constructor({ logger, patience = PATIENCE, capacity = CAPACITY }: ConfirmationsOptions) {
    this.#logger = logger;
    this.#patience = patience;
    this.#capacity = capacity;
  }

  /** Questions without an answer, the oldest first. */
  get waiting(): readonly PendingRequest[] {
    return [...this.#waiting.values()].map(({ asked }) => asked);
  }

  /** How many operators are connected. */
  get operators(): number {
    return this.#operators.size;
  }

  /**
   * Waits for a person's yes.
   * @param gone ends when the client hangs up
   * @throws SignerError for everything but a yes
   */
  async ask(question: Question, gone: AbortSignal): Promise<void> {
    if (this.#stopped) throw stopping();
    if (this.#wasConfirmed(question)) return;
    const waiting = this.#find(question) ?? this.#open(question);
    waiting.clients += 1;
    const left = () => {
      waiting.clients -= 1;
      if (waiting.clients > 0) return;
      this.#close(waiting, "operator-timeout", "the client gave up");
    };
    if (gone.aborted) left();
    else gone.addEventListener("abort", left, { once: true });
    await waiting.settled.finally(() => gone.removeEventListener("abort", left));
  }

  /** Registers an operator. @returns a function that unregisters it */
  attach(operator: Operator): () => void {
    this.#operators.add(operator);
    this.#logger.info({ operator: operator.name }, "an operator waits for questions");
    for (const asked of this.waiting) operator.show(asked);
    return () => {
      if (!this.#operators.delete(operator)) return;
      this.#logger.info({ operator: operator.name }, "an operator left");
      if (this.#operators.size > 0) return;
      for (const waiting of this.#waiting.values()) this.#close(waiting, "operator-absent", "the operator left");
    };
  }

  /** Records an operator's decision. @returns false if the request is no longer pending */
  answer(operator: Operator, id: number, isYes: boolean): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || !this.#operators.has(operator)) return false;
    const word = isYes ? "confirmed" : "declined";
    this.#log(waiting, operator.name, word);
    if (isYes) this.#confirmed.set(identity(waiting.asked), performance.now());
    this.#remove(waiting, `${operator.name} ${word} it`, operator);
    waiting.settle(isYes ? undefined : refused("operator-declined", "nothing was signed"));
    return true;
  }

  /** Refuses every pending request, and every later one. */
  stop(): void {
    this.#stopped = true;
    for (const waiting of this.#waiting.values()) {
      this.#log(waiting, undefined, "the signer stops");
      this.#remove(waiting, "the signer stops");
      waiting.settle(stopping());
    }
  }

  #open(question: Question): Waiting {
    if (this.#operators.size === 0) {
      throw refused("operator-absent", "run `tezos-signer confirm` on the signer's machine first, then ask again");
    }
    if (this.#waiting.size >= this.#capacity) throw refused("operator-busy", `at most ${this.#capacity} can`);
    const now = Date.now();
    const id = ++this.#lastId;
    const asked = { ...question, id, since: iso(now), until: iso(now + this.#patience) };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#close(waiting, "operator-timeout", "nobody answered in time"), this.#patience);
    timer.unref();
    const settle = (error?: SignerError) => {
      clearTimeout(timer);
      if (error === undefined) resolve();
      else reject(error);
    };
    const waiting: Waiting = { asked, settle, settled: promise, clients: 0 };
    this.#waiting.set(id, waiting);
    for (const operator of this.#operators) operator.show(asked);
    return waiting;
  }

  #close(waiting: Waiting, code: ErrorCode, reason: string): void {
    if (!this.#waiting.has(waiting.asked.id)) return;
    this.#log(waiting, undefined, reason);
    this.#remove(waiting, reason);
    waiting.settle(refused(code, `${reason}; nothing was signed`));
  }

  #remove({ asked }: Waiting, reason: string, except?: Operator): void {
    this.#waiting.delete(asked.id);
    for (const operator of this.#operators) if (operator !== except) operator.withdraw(asked.id, reason);
  }

  #find(question: Question): Waiting | undefined {
    return [...this.#waiting.values()].find(({ asked }) => identity(asked) === identity(question));
  }

  #wasConfirmed(question: Question): boolean {
    const now = performance.now();
    for (const [id, at] of this.#confirmed) if (now - at > REMEMBERED) this.#confirmed.delete(id);
    return this.#confirmed.has(identity(question));
  }

  /** The audit trail: a line for each decision of a person, and of the other ends as many as tell of them. */
  #log({ asked }: Waiting, operator: string | undefined, decision: string): void {
    const more = operator === undefined ? this.#unanswered.pass() : {};
    if (more === undefined) return;
    const { id, key, client, digest, since } = asked;
    const seconds = Math.round((Date.now() - Date.parse(since)) / 1_000);
    this.#logger.info({ confirmation: id, key, client, digest, operator, decision, seconds, ...more }, "confirmation");
  }
}

/** The bytes that a question is about, for this key. */
function identity({ key, digest }: Question): string {
  return `${key} ${digest}`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function refused(code: ErrorCode, detail: string): SignerError {
  return new SignerError(code, `${detail}.`);
}

function stopping(): SignerError {
  const advice = "run `tezos-signer confirm` again once a new one has started, then ask again";
  return refused("operator-absent", `the signer stops: ${advice}`);
}
