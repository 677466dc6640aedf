import type { Logger } from "pino";
import { type ErrorCode, SignerError } from "../errors.ts";
import { clientOf } from "../network/address-range.ts";
import { ownCommand } from "../own-command.ts";
import { RateLimit } from "../rate-limit.ts";
import { identity, PastAnswers } from "./past-answers.ts";
import type { Operator, PendingRequest, Question } from "./question.ts";

export interface ConfirmationsOptions {
  readonly logger: Logger;
  /** Name of the machine where another one gets requests too, behind a balancer; undefined where it is alone. */
  readonly machine?: () => string | undefined;
  /** How long a question waits, in milliseconds. */
  readonly patience?: number;
  /** How many wait at once; more are refused. */
  readonly capacity?: number;
}

/** A person needs a minute or two to read; a client that waits longer has been forgotten. */
const PATIENCE = 5 * 60_000;
/** More than a person reads with care, and too few to fill memory: describe.ts bounds the size of each. */
const CAPACITY = 16;
/** So that nobody blocks the others: one client takes at most half of a key's. */
const OF_ONE_CLIENT = 4;
const OF_ONE_KEY = 8;

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
 * Holds requests open until a person answers. Everyone connected sees every question, one after another, the oldest first,
 * and the first answer counts. A question is refused at once where nobody is connected, and when the last one leaves. No
 * block or vote waits here.
 */
export class Confirmations {
  readonly #logger: Logger;
  readonly #machine: () => string | undefined;
  readonly #patience: number;
  readonly #capacity: number;
  readonly #waiting = new Map<number, Waiting>();
  /** Who is connected, and the number of the question that each has before them. */
  readonly #operators = new Map<Operator, number | undefined>();
  readonly #past = new PastAnswers();
  readonly #unanswered = new RateLimit(UNANSWERED_INTERVAL);
  #lastId = 0;
  #stopped = false;

  constructor(options: ConfirmationsOptions) {
    this.#logger = options.logger;
    this.#machine = options.machine ?? (() => undefined);
    this.#patience = options.patience ?? PATIENCE;
    this.#capacity = options.capacity ?? CAPACITY;
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
    if (this.#past.wasConfirmed(question)) return;
    const seconds = this.#past.secondsOfPeace(question);
    if (seconds > 0) {
      throw refused("operator-declined", `nothing was signed, and nobody is asked about these bytes for ${seconds} s`);
    }
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
    this.#logger.info({ operator: operator.name }, "an operator waits for questions");
    this.#operators.set(operator, undefined);
    this.#showNext();
    return () => {
      if (!this.#operators.delete(operator)) return;
      this.#logger.info({ operator: operator.name }, "an operator left");
      if (this.#operators.size > 0) return;
      for (const waiting of this.#waiting.values()) this.#close(waiting, "operator-absent", "the operator left");
    };
  }

  /** Records an operator's decision. @returns false if it is not about the question before them */
  answer(operator: Operator, id: number, isYes: boolean): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || this.#operators.get(operator) !== id) return false;
    const word = isYes ? "confirmed" : "declined";
    this.#log(waiting, operator.name, word);
    this.#past.note(waiting.asked, isYes);
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
      const machine = this.#machine();
      const where = machine === undefined ? "the signer's machine first" : `${machine}, and on the other machine too`;
      throw refused("operator-absent", `run \`${ownCommand("confirm")}\` on ${where}, then ask again`);
    }
    this.#requirePause(question);
    this.#requireRoom(question);
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
    this.#showNext();
    return waiting;
  }

  /** @throws SignerError `operator-declined` where a person has just declined what this client asked for this key */
  #requirePause(question: Question): void {
    const seconds = this.#past.secondsOfPause(question);
    if (seconds === 0) return;
    const who = `${question.client} for this key`;
    throw refused("operator-declined", `nothing was signed, and nobody is asked anything of ${who} for ${seconds} s`);
  }

  /** @throws SignerError `operator-busy` where too many wait, of all or of this client or for this key */
  #requireRoom({ client, key }: Question, { waiting } = this): void {
    const full = (count: number, most: number, whose: string) => {
      if (count >= most) throw refused("operator-busy", `at most ${most} ${whose} can`);
    };
    full(waiting.length, this.#capacity, "of all clients");
    const ofClient = waiting.filter((asked) => clientOf(asked.client) === clientOf(client));
    full(ofClient.length, OF_ONE_CLIENT, `of ${client}`);
    full(waiting.filter((asked) => asked.key === key).length, OF_ONE_KEY, `for ${key}`);
  }

  /** Puts the oldest question before each operator who has none. */
  #showNext(): void {
    const [oldest] = this.waiting;
    if (oldest === undefined || this.#stopped) return;
    for (const [operator, id] of this.#operators) {
      if (id !== undefined) continue;
      this.#operators.set(operator, oldest.id);
      operator.show(oldest);
    }
  }

  #close(waiting: Waiting, code: ErrorCode, reason: string): void {
    if (!this.#waiting.has(waiting.asked.id)) return;
    this.#log(waiting, undefined, reason);
    this.#remove(waiting, reason);
    waiting.settle(refused(code, `${reason}; nothing was signed`));
  }

  #remove({ asked }: Waiting, reason: string, except?: Operator): void {
    this.#waiting.delete(asked.id);
    for (const [operator, id] of this.#operators) {
      if (id !== asked.id) continue;
      this.#operators.set(operator, undefined);
      if (operator !== except) operator.withdraw(asked.id, reason);
    }
    this.#showNext();
  }

  #find(question: Question): Waiting | undefined {
    return [...this.#waiting.values()].find(({ asked }) => identity(asked) === identity(question));
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

function iso(time: number): string {
  return new Date(time).toISOString();
}

function refused(code: ErrorCode, detail: string): SignerError {
  return new SignerError(code, `${detail}.`);
}

function stopping(): SignerError {
  const advice = `run \`${ownCommand("confirm")}\` again once a new one has started, then ask again`;
  return refused("operator-absent", `the signer stops: ${advice}`);
}
