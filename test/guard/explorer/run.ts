import { AsyncLocalStorage } from "node:async_hooks";
import { SignerError } from "../../../signer/errors.ts";
import { Guard } from "../../../signer/watermark/guard.ts";
import type { Initialise } from "../../../signer/watermark/initialise.ts";
import { StoreError, type WatermarkStore } from "../../../signer/watermark/stores/store.ts";
import { TrustedStore } from "../../../signer/watermark/trusted-store.ts";
import { KEY } from "../../fixtures/watermark-rows.ts";
import { allAt } from "../../harness/guarded-signer.ts";
import { memoryOf } from "./memory.ts";
import { type Answer, type Call, type Event, NOW, type Operation, type Request } from "./messages.ts";

/** What a signer is made of; the seeded bugs put their own here. */
export interface SignerParts {
  trusted(store: WatermarkStore, initialise: Initialise): TrustedStore;
  guard(store: TrustedStore): Pick<Guard, "sign">;
  store(store: WatermarkStore): WatermarkStore;
  /** Whether all that a signer remembers is in the classes that memory.ts reads. */
  readonly isReadable: boolean;
}

export const REAL: SignerParts = {
  trusted: (store, initialise) => new TrustedStore({ store, initialise, clock: () => NOW }),
  guard: (store) => new Guard({ store, maxStep: "off", minimalBlockDelay: 1, budgets: allAt(1_000), clock: () => NOW }),
  store: (store) => store,
  isReadable: true,
};

interface Waiting extends Call {
  /** The marks that the signer had seen when it asked: an answer is held against them. */
  readonly seen: unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** An attempt that somebody waits for. */
interface Attempt {
  conflicts: number;
  /** What the guard was told since it last decided: all that it holds in its variables follows from this. */
  heard: { readonly from: "store" | "key"; readonly what: unknown }[];
  deadline?: AbortController;
}

/** Which attempt the running code works for. */
const context = new AsyncLocalStorage<string>();

/** One signer: the real code, told one thing after another. */
export class Run {
  readonly #trusted: TrustedStore;
  readonly #guard: Pick<Guard, "sign">;
  readonly #waiting = new Map<string, Waiting>();
  readonly #attempts = new Map<string, Attempt>();
  #complaint: string | undefined;
  #answers: Answer[] = [];

  constructor(parts: SignerParts, initialise: Initialise) {
    this.#trusted = parts.trusted(parts.store(this.#store()), initialise);
    this.#listen();
    this.#guard = parts.guard(this.#trusted);
  }

  /** Its operations under way, by name. */
  get calls(): readonly Call[] {
    return [...this.#waiting.values()]
      .map(({ name, attempt, operation }) => ({ name, attempt, operation }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The attempts that somebody waits for. */
  get attempts(): readonly string[] {
    return [...this.#attempts.keys()].sort();
  }

  /** The attempts whose deadline can still end. */
  get deadlines(): readonly string[] {
    return this.attempts.filter((name) => this.#attempts.get(name)?.deadline?.signal.aborted === false);
  }

  /** A hard stop, or an error that the guard should never throw. */
  get complaint(): string | undefined {
    return this.#complaint ?? [...this.#trusted.stops.values()][0];
  }

  /** What it answered to the last event. */
  get answers(): readonly Answer[] {
    return this.#answers;
  }

  /** Everything that its future depends on, as text: equal texts, equal futures. */
  async describe(): Promise<string> {
    return JSON.stringify([
      await memoryOf(this.#trusted, this.#guard),
      [...this.#attempts]
        .map(([name, { conflicts, heard, deadline }]) => [name, conflicts, heard, deadline?.signal.aborted])
        .sort(),
      [...this.#waiting.values()].map(({ name, operation, seen }) => [name, operation, seen]).sort(),
    ]);
  }

  async tell(events: readonly Event[]): Promise<void> {
    const { setTimeout: realSetTimeout } = globalThis;
    const { timeout } = AbortSignal;
    const { randomUUID } = crypto;
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    // A pause ends at once: whatever may come first during one may also come without it.
    globalThis.setTimeout = ((callback: () => void) => queueMicrotask(callback)) as unknown as typeof setTimeout;
    AbortSignal.timeout = () => this.#deadline();
    crypto.randomUUID = () => `0-0-0-0-${context.getStore()}` as const;
    try {
      for (const event of events) {
        this.#answers = [];
        this.#hear(event);
        await quiet();
      }
    } finally {
      globalThis.setTimeout = realSetTimeout;
      AbortSignal.timeout = timeout;
      crypto.randomUUID = randomUUID;
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  #hear(event: Event): void {
    if (event.tells === "request") {
      this.#attempts.set(event.attempt, { conflicts: 0, heard: [] });
      void context.run(event.attempt, () => this.#ask(event.attempt, event.request));
    } else if (event.tells === "deadline") {
      this.#attempts.get(event.attempt)?.deadline?.abort();
    } else {
      this.#settle(event);
    }
  }

  #settle({ call: name, outcome }: Extract<Event, { tells: "outcome" }>): void {
    const call = this.#waiting.get(name);
    if (call === undefined) throw new Error(`there is no call ${name}: something is not deterministic`);
    this.#waiting.delete(name);
    const isOfKey = call.operation.does === "sign";
    if (isOfKey) this.#attempts.get(call.attempt)?.heard.push({ from: "key", what: outcome });
    if ("value" in outcome) call.resolve(outcome.value as never);
    else if (isOfKey) call.reject(new SignerError("vault-unavailable", "by schedule"));
    else call.reject(new StoreError(outcome.fault, "by schedule"));
  }

  async #ask(attempt: string, request: Request): Promise<void> {
    const { kind, level, round, bytes } = request;
    const says = await this.#guard
      .sign({
        key: { ...KEY, kind },
        position: { level, round },
        digest: bytes,
        sign: () => this.#call({ does: "sign", request }),
        observe: () => undefined,
      })
      .then(
        ({ signature }) => ({ signature }),
        (error) => this.#refusal(error),
      );
    this.#attempts.delete(attempt);
    this.#answers.push({ attempt, says });
  }

  #refusal(error: Error): Answer["says"] {
    if (!(error instanceof SignerError)) {
      this.#complaint = `an error of another class: ${error}`;
      return { refused: error.message };
    }
    if (error.code === "watermark-untrusted" || error.code === "watermark-missing") this.#complaint = error.message;
    return error.status === 502 ? { again: error.code } : { refused: error.code };
  }

  #deadline(): AbortSignal {
    const attempt = this.#attempts.get(context.getStore() ?? "");
    if (attempt === undefined) throw new Error("a deadline of no attempt");
    attempt.deadline = new AbortController();
    return attempt.deadline.signal;
  }

  /** Notes what the guard hears from the store behind it. */
  #listen(): void {
    const trusted = this.#trusted;
    const current = trusted.current.bind(trusted);
    const write = trusted.write.bind(trusted);
    trusted.current = async (...args) => {
      const what = await current(...args);
      const attempt = this.#attempts.get(context.getStore() ?? "");
      // The guard decides anew: of what it heard before, only the key's answer still counts.
      if (attempt !== undefined) attempt.heard = attempt.heard.filter(({ from }) => from === "key");
      attempt?.heard.push({ from: "store", what });
      return what;
    };
    trusted.write = async (...args) => {
      const what = await write(...args);
      const attempt = this.#attempts.get(context.getStore() ?? "");
      if (what === "conflict" && attempt !== undefined) attempt.conflicts += 1;
      attempt?.heard.push({ from: "store", what });
      return what;
    };
  }

  #call<T>(operation: Operation): Promise<T> {
    const attempt = context.getStore();
    if (attempt === undefined) throw new Error(`${operation.does} for no attempt`);
    // The real guard has one call to the store and one to the key at a time; a broken one may have more.
    let name = `${attempt} ${operation.does === "sign" ? "key" : "store"}`;
    while (this.#waiting.has(name)) name += "+";
    const seen = operation.does === "read" ? [...this.#trusted.marks].sort() : undefined;
    return new Promise((resolve, reject) => {
      this.#waiting.set(name, { name, attempt, operation, seen, resolve, reject });
    });
  }

  #store(): WatermarkStore {
    return {
      isShared: true,
      identity: () => this.#call({ does: "identity" }),
      establish: (id) => this.#call({ does: "establish", id }),
      now: () => this.#call({ does: "now" }),
      read: ({ kind }) => this.#call({ does: "read", kind }),
      insert: ({ kind }, row) => this.#call({ does: "insert", kind, row }),
      replace: ({ kind }, row, version) => this.#call({ does: "replace", kind, row, version }),
      list: async () => [],
      close: async () => undefined,
    };
  }
}

/** Until every promise that can go on has done so: each callback of setImmediate comes after all of them. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
