import { AsyncLocalStorage } from "node:async_hooks";
import { hash } from "node:crypto";
import { SignerError } from "../../signer/errors.ts";
import { compare, type Position } from "../../signer/watermark/decision.ts";
import { Guard } from "../../signer/watermark/guard.ts";
import type { Initialise } from "../../signer/watermark/initialise.ts";
import {
  type Row,
  type RowKey,
  rowName,
  StoreError,
  type Versioned,
  type WatermarkStore,
} from "../../signer/watermark/store.ts";
import { TrustedStore } from "../../signer/watermark/trusted-store.ts";
import { KEY } from "../support/watermark-rows.ts";

/**
 * A bounded-exhaustive explorer of the real guard: two signers with memories of their own on one store, every call to the
 * store or to the key a point where anything else may come first.
 *
 * Each schedule runs the real code anew from the beginning, so nothing of it is modelled. What can happen at a step:
 * - a request is sent; a call is done in the store and answered, or answered later (which costs a preemption); the key answers;
 * - a fault, at most `faults` a schedule: the call is refused as by another writer and not done (conflict), is not done and
 *   not answered (dropped), is done and not answered (lost), the key fails, or the request's deadline ends. After a deadline
 *   the calls under way go on: they may still be done, and their answers still come;
 * - a crash, at most `crashes`: the signer's memory is gone, calls under way may still be done, clients ask again.
 * Leaving a request that could go on costs one of `preemptions`.
 *
 * Reduction: a step is not explored again from a state that was met before with no less left to spend. The state is the store's
 * content, the answers that each signer got in their order (which determine all that it holds in memory), the calls under
 * way, and what was released. So orders of steps that do not touch each other are explored once.
 * Two orders are left out, since they tell nothing: the key answers at once or late, but not in between; a crash comes right
 * after a step of the signer that it ends. Pauses end at once: whatever may come first during one may also come without it.
 * @module
 */

export interface ExplorerRequest {
  readonly signer: 0 | 1;
  readonly kind: RowKey["kind"];
  readonly position: Position;
  /** Stands for the payload's bytes. */
  readonly bytes: string;
}

export interface Scenario {
  readonly name: string;
  readonly requests: readonly ExplorerRequest[];
  /** The rows at the beginning: at level 0, or none at all. */
  readonly begins: "rows" | "empty" | "no-store";
}

export interface Bounds {
  readonly preemptions: number;
  readonly faults: number;
  readonly crashes: number;
}

/** What a signer is made of; the seeded bugs put their own here. */
export interface SignerParts {
  /** Called before each schedule. */
  begin?(): void;
  trusted(store: WatermarkStore, initialise: Initialise): TrustedStore;
  guard(store: TrustedStore): Pick<Guard, "sign">;
  store(store: WatermarkStore): WatermarkStore;
}

export const REAL: SignerParts = {
  trusted: (store, initialise) => new TrustedStore({ store, initialise, clock: () => NOW }),
  guard: (store) => new Guard({ store, maxStep: "off", deadline: 1_000, clock: () => NOW }),
  store: (store) => store,
};

export interface Explored {
  /** Schedules run: each differs from every other in at least one step. */
  readonly schedules: number;
  /** Different states met. */
  readonly states: number;
  /** Releases over all schedules. */
  readonly released: number;
  /** The first promise that was broken, with the steps that led to it. */
  readonly violation?: string;
}

const NOW = 1_700_000_000_000;
const WINDOW: Initialise = { level: 1, until: NOW + 3_600_000 };

/** How often a client asks again after a 502 or a broken connection. */
const RETRIES = 1;

/** Explores a scenario wholly within the bounds, or until `limit` schedules. */
export async function explore(
  scenario: Scenario,
  bounds: Bounds,
  { parts = REAL, limit = Number.POSITIVE_INFINITY }: { parts?: SignerParts; limit?: number } = {},
): Promise<Explored> {
  const seen: Seen = new Map();
  const choices: number[] = [];
  let schedules = 0;
  let released = 0;
  const { setTimeout: realSetTimeout } = globalThis;
  const realTimeout = AbortSignal.timeout;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    for (;;) {
      parts.begin?.();
      const run = new Run(scenario, bounds, parts, choices, seen);
      globalThis.setTimeout = run.setTimeout as unknown as typeof globalThis.setTimeout;
      AbortSignal.timeout = run.timeout;
      const violation = await run.execute();
      schedules += 1;
      released += run.releases;
      if (violation !== undefined) {
        return {
          schedules,
          states: seen.size,
          released,
          violation: `${scenario.name}: ${violation}\n${run.trace.join("\n")}`,
        };
      }
      // The next schedule: the deepest step that has another way to go.
      choices.length = 0;
      let depth = run.taken.length - 1;
      while (depth >= 0 && (run.taken[depth] ?? 0) + 1 >= (run.ways[depth] ?? 0)) depth -= 1;
      if (depth < 0 || schedules >= limit) return { schedules, states: seen.size, released };
      choices.push(...run.taken.slice(0, depth), (run.taken[depth] ?? 0) + 1);
    }
  } finally {
    globalThis.setTimeout = realSetTimeout;
    AbortSignal.timeout = realTimeout;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What was spent at each visit of a state. */
type Seen = Map<string, Bounds[]>;

/** Something that can happen next. */
interface Step {
  readonly label: string;
  /** Whose request it belongs to; a preemption is a step of another while the last could go on. */
  readonly thread: number;
  readonly cost: { readonly preemptions?: 1; readonly faults?: 1; readonly crashes?: 1 };
  run(): void;
}

/** A call under way. */
interface Call {
  readonly thread: number;
  readonly signer: number;
  /** The life of the signer that asked: after a crash nobody waits. */
  readonly life: number;
  readonly label: string;
  readonly work: () => unknown;
  readonly isWrite: boolean;
  readonly isKey: boolean;
  outcome?: { readonly value: unknown } | { readonly error: Error };
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

interface Client {
  readonly request: ExplorerRequest;
  state: "new" | "waiting" | "done";
  retries: number;
  deadline?: AbortController | undefined;
}

interface SignerState {
  life: number;
  trusted: TrustedStore;
  guard: Pick<Guard, "sign">;
  /** The answers it got, in their order: with these its memory is determined. */
  history: string;
}

/** Which request the running code works for. */
const context = new AsyncLocalStorage<{ readonly thread: number; readonly signer: number; readonly life: number }>();

class Run {
  readonly trace: string[] = [];
  /** The way taken at each step, and how many there were. */
  readonly taken: number[] = [];
  readonly ways: number[] = [];
  releases = 0;

  readonly #scenario: Scenario;
  readonly #bounds: Bounds;
  readonly #parts: SignerParts;
  readonly #prefix: readonly number[];
  readonly #seen: Seen;
  readonly #spent = { preemptions: 0, faults: 0, crashes: 0 };
  readonly #rows = new Map<string, Versioned>();
  #identity: string | undefined;
  #calls: Call[] = [];
  #keyCalls = 0;
  readonly #signers: SignerState[];
  readonly #clients: Client[];
  #last = -1;
  #violation: string | undefined;
  /** No more choices: every call is done and answered at once. */
  #calm = false;
  readonly #digests = new Map<string, string>();
  readonly #signatures = new Map<string, string>();

  constructor(scenario: Scenario, bounds: Bounds, parts: SignerParts, prefix: readonly number[], seen: Seen) {
    this.#scenario = scenario;
    this.#bounds = bounds;
    this.#parts = parts;
    this.#prefix = [...prefix];
    this.#seen = seen;
    if (scenario.begins !== "no-store") this.#identity = "id";
    if (scenario.begins === "rows") {
      for (const { kind } of scenario.requests) {
        const row: Row = { level: 0, round: 0, digest: "00", anchor: { level: 0, at: NOW } };
        this.#rows.set(rowName({ ...KEY, kind }), { row, version: "1" });
      }
    }
    this.#signers = [0, 1].map((index) => this.#start(index, 0));
    this.#clients = scenario.requests.map((request) => ({ request, state: "new", retries: RETRIES }));
  }

  #start(signer: number, life: number): SignerState {
    const trusted = this.#parts.trusted(
      this.#parts.store(this.#store(signer, life)),
      this.#scenario.begins === "rows" ? WINDOW : "always",
    );
    return { life, trusted, guard: this.#parts.guard(trusted), history: `life ${life}` };
  }

  /** Stands in for the global one while this schedule runs: a pause ends at once, others may come first all the same. */
  readonly setTimeout = (callback: () => void): number => {
    queueMicrotask(callback);
    return 0;
  };

  /** Stands in for AbortSignal.timeout: the deadline ends when the schedule says so. */
  readonly timeout = (): AbortSignal => {
    const controller = new AbortController();
    const client = this.#clients[context.getStore()?.thread ?? -1];
    if (client !== undefined) client.deadline = controller;
    return controller.signal;
  };

  /** @returns the promise that was broken, if one was */
  async execute(): Promise<string | undefined> {
    for (;;) {
      const steps = this.#steps();
      if (steps.length === 0) break;
      const depth = this.taken.length;
      if (depth >= this.#prefix.length) {
        if (this.#isKnown()) return undefined;
      }
      const way = this.#prefix[depth] ?? 0;
      this.taken.push(way);
      this.ways.push(steps.length);
      const step = steps[way];
      if (step === undefined)
        throw new Error("the schedule is not the one that it was: something is not deterministic");
      this.trace.push(step.label);
      this.#spent.faults += step.cost.faults ?? 0;
      this.#spent.crashes += step.cost.crashes ?? 0;
      this.#spent.preemptions += step.cost.preemptions ?? 0;
      if (step.cost.crashes === undefined) {
        if (this.#canGoOn(steps) && step.thread !== this.#last) this.#spent.preemptions += 1;
        this.#last = step.thread;
      }
      step.run();
      await quiet();
      if (this.#violation !== undefined) return this.#violation;
    }
    const unanswered = this.#clients.find(({ state }) => state !== "done");
    if (unanswered !== undefined) return `nobody answers ${describe(unanswered.request)}`;
    return this.#checkLiveness();
  }

  /** Whether this state was met before with at least as much left to spend: then nothing new can follow. */
  #isKnown(): boolean {
    const state = hash("sha1", this.#state(), "base64");
    const { preemptions, faults, crashes } = this.#spent;
    const met = this.#seen.get(state);
    if (met === undefined) this.#seen.set(state, [{ ...this.#spent }]);
    else {
      if (met.some((spent) => spent.preemptions <= preemptions && spent.faults <= faults && spent.crashes <= crashes)) {
        return true;
      }
      met.push({ ...this.#spent });
    }
    return false;
  }

  #canGoOn(steps: readonly Step[]): boolean {
    return steps.some(
      ({ thread, cost }) => thread === this.#last && cost.faults === undefined && cost.crashes === undefined,
    );
  }

  /** What can happen next, within the bounds; the first goes on with the last request. */
  #steps(): Step[] {
    const { faults, crashes, preemptions } = this.#bounds;
    // A key that was asked answers first: later than that is a preemption, and the answer waits until then.
    const asked = this.#calls.find(({ isKey, outcome }) => isKey && outcome === undefined);
    const all = asked === undefined ? this.#allSteps() : this.#stepsOf(asked);
    const goesOn = this.#canGoOn(all);
    return all
      .filter(({ cost, thread }) => {
        if ((cost.faults ?? 0) + this.#spent.faults > faults) return false;
        if ((cost.crashes ?? 0) + this.#spent.crashes > crashes) return false;
        const isPreemption = cost.crashes === undefined && asked === undefined && goesOn && thread !== this.#last;
        return (cost.preemptions ?? 0) + (isPreemption ? 1 : 0) + this.#spent.preemptions <= preemptions;
      })
      .sort((a, b) => rank(a, this.#last) - rank(b, this.#last));
  }

  #allSteps(): Step[] {
    const all: Step[] = [];
    for (const [thread, client] of this.#clients.entries()) {
      const { request, state, deadline } = client;
      const own = { thread, cost: {} };
      if (state === "new") all.push({ ...own, label: `send ${describe(request)}`, run: () => this.#send(thread) });
      if (state !== "waiting" || deadline === undefined || deadline.signal.aborted) continue;
      const end = () => {
        this.#note(request.signer, `${thread} deadline`);
        deadline.abort();
      };
      all.push({ thread, cost: { faults: 1 }, label: `deadline of ${describe(request)}`, run: end });
    }
    for (const call of this.#calls) all.push(...this.#stepsOf(call));
    // A crash comes right after a step of the signer that it ends: what others do meanwhile is the same before and after.
    const index = this.#clients[this.#last]?.request.signer;
    const isBusy = this.#clients.some(({ request, state }) => request.signer === index && state === "waiting");
    if (index !== undefined && isBusy) {
      all.push({ label: `crash of signer ${index}`, thread: -1, cost: { crashes: 1 }, run: () => this.#crash(index) });
    }
    return all;
  }

  #stepsOf(call: Call): Step[] {
    const { thread, label, work } = call;
    const step = (what: string, run: () => void, cost: Step["cost"] = {}): Step => ({
      label: `  ${label} of request ${thread}: ${what}`,
      thread,
      cost,
      run,
    });
    const isDead = this.#signers[call.signer]?.life !== call.life;
    if (call.outcome !== undefined) return [step("answered late", () => this.#answer(call))];
    const done = () => {
      call.outcome = attempt(work);
    };
    if (isDead) return [step("done after the crash", () => this.#forget(call, attempt(work)))];
    const answered = step("answered", () => this.#settle(call, attempt(work)));
    const isLate = step("done, its answer late", done, { preemptions: 1 });
    if (call.isKey) {
      const failure = new SignerError("vault-unavailable", "by schedule");
      return [answered, isLate, step("fails", () => this.#settle(call, { error: failure }), { faults: 1 })];
    }
    const unavailable = { error: new StoreError("unavailable", "by schedule") };
    const dropped = step("dropped", () => this.#settle(call, unavailable), { faults: 1 });
    if (!call.isWrite) return [answered, isLate, dropped];
    const conflict = { error: new StoreError("conflict", "by schedule") };
    const lost = () => {
      attempt(work);
      this.#settle(call, unavailable);
    };
    return [
      answered,
      isLate,
      dropped,
      step("lost", lost, { faults: 1 }),
      step("conflict", () => this.#settle(call, conflict), { faults: 1 }),
    ];
  }

  /** A call of a dead process: whatever came of it, nobody hears. */
  #forget(call: Call, _: unknown): void {
    this.#calls = this.#calls.filter((other) => other !== call);
  }

  #settle(call: Call, outcome: NonNullable<Call["outcome"]>): void {
    call.outcome = outcome;
    this.#answer(call);
  }

  #answer(call: Call): void {
    this.#calls = this.#calls.filter((other) => other !== call);
    const { outcome = { value: undefined } } = call;
    this.#note(
      call.signer,
      `${call.thread} ${call.label} ${"error" in outcome ? outcome.error.message : JSON.stringify(outcome.value)}`,
    );
    if ("error" in outcome) call.reject(outcome.error);
    else call.resolve(outcome.value as never);
  }

  #note(signer: number, what: string): void {
    const state = this.#signers[signer];
    if (state !== undefined) state.history = hash("sha1", `${state.history}|${what}`, "base64");
  }

  #crash(index: number): void {
    const signer = this.#signers[index];
    if (signer === undefined) return;
    this.#signers[index] = this.#start(index, signer.life + 1);
    this.#calls = this.#calls.filter(
      ({ signer, isWrite, outcome }) => signer !== index || (isWrite && outcome === undefined),
    );
    for (const client of this.#clients) {
      if (client.request.signer === index && client.state === "waiting") this.#retry(client);
    }
  }

  #retry(client: Client): void {
    client.deadline = undefined;
    client.state = client.retries > 0 ? "new" : "done";
    client.retries -= 1;
  }

  #send(thread: number): void {
    const client = this.#clients[thread];
    if (client === undefined) return;
    client.state = "waiting";
    this.#note(client.request.signer, `${thread} sent`);
    const signer = this.#signers[client.request.signer];
    const life = signer?.life ?? 0;
    const isCurrent = () => this.#signers[client.request.signer]?.life === life && client.state === "waiting";
    void context.run({ thread, signer: client.request.signer, life }, async () => {
      const answer = await this.#ask(client.request.signer, client.request);
      if (!isCurrent()) return;
      if (answer === "again") this.#retry(client);
      else client.state = "done";
      client.deadline = undefined;
    });
  }

  /** @returns the signature, "again" for a 502, or the code of the refusal */
  async #ask(
    index: number,
    { kind, position, bytes }: Pick<ExplorerRequest, "kind" | "position" | "bytes">,
  ): Promise<string> {
    const signer = this.#signers[index];
    if (signer === undefined) throw new Error("no such signer");
    const { life } = signer;
    try {
      const { signature } = await signer.guard.sign({
        key: { ...KEY, kind },
        position,
        digest: bytes,
        sign: () => this.#call("sign", () => `s${++this.#keyCalls}of${bytes}`, "key"),
        observe: () => undefined,
      });
      // What a process says after its crash reaches nobody.
      if (this.#signers[index]?.life === life) this.#release(kind, position, bytes, signature);
      return signature;
    } catch (error) {
      if (!(error instanceof SignerError)) {
        this.#violation = `an error of another class: ${error}`;
        return "again";
      }
      if (error.code === "watermark-untrusted" || error.code === "watermark-missing") this.#violation = error.message;
      return error.status === 502 ? "again" : error.code;
    }
  }

  #release(kind: string, position: Position, bytes: string, signature: string): void {
    this.releases += 1;
    const place = `${kind} at ${position.level}/${position.round}`;
    const digest = this.#digests.get(place);
    if (digest !== undefined && digest !== bytes)
      this.#violation = `two digests released for the ${place}: ${digest} and ${bytes}`;
    this.#digests.set(place, bytes);
    if (!signature.endsWith(`of${bytes}`)) this.#violation = `a signature of other bytes released for ${bytes}`;
    if (kind !== "block") return;
    const other = this.#signatures.get(bytes);
    if (other !== undefined && other !== signature) this.#violation = `two signatures released for the block ${bytes}`;
    this.#signatures.set(bytes, signature);
  }

  /** A call to the store or the key, to be scheduled. */
  #call<T>(label: string, work: () => T, as: "read" | "write" | "key"): Promise<T> {
    const caller = context.getStore();
    if (this.#calm || caller === undefined) {
      const outcome = attempt(work);
      return "error" in outcome ? Promise.reject(outcome.error) : Promise.resolve(outcome.value as T);
    }
    return new Promise((resolve, reject) => {
      this.#calls.push({ ...caller, label, work, isWrite: as === "write", isKey: as === "key", resolve, reject });
    });
  }

  #store(signer: number, life: number): WatermarkStore {
    const call = <T>(label: string, work: () => T, isWrite = false) => {
      // A dead process asks nothing.
      if (this.#signers?.[signer] !== undefined && this.#signers[signer].life !== life)
        return new Promise<T>(() => undefined);
      return this.#call(label, work, isWrite ? "write" : "read");
    };
    return {
      identity: () => call("identity", () => this.#identity),
      establish: (id) =>
        call(
          "establish",
          () => {
            if (this.#identity !== undefined) throw new StoreError("conflict", "there is one");
            this.#identity = id;
          },
          true,
        ),
      now: () => call("now", () => NOW),
      read: (key) => call("read", () => this.#rows.get(rowName(key))),
      insert: (key, row) =>
        call(
          "insert",
          () => {
            if (this.#rows.has(rowName(key))) throw new StoreError("conflict", "there is one");
            return this.#put(key, row);
          },
          true,
        ),
      replace: (key, row, version) =>
        call(
          row.signature === undefined ? "reserve" : "keep",
          () => {
            if (version !== "*" && this.#rows.get(rowName(key))?.version !== version)
              throw new StoreError("conflict", "it has changed");
            return this.#put(key, row);
          },
          true,
        ),
      list: async () => [],
      close: async () => undefined,
    };
  }

  #put(key: RowKey, row: Row): string {
    const before = this.#rows.get(rowName(key));
    if (before !== undefined && compare(row, before.row) < 0)
      this.#violation = `the ${key.kind} row went back to ${row.level}/${row.round}`;
    const version = String(Number(before?.version ?? 0) + 1);
    this.#rows.set(rowName(key), { row, version });
    return version;
  }

  #state(): string {
    return JSON.stringify([
      [...this.#rows],
      this.#identity,
      this.#signers.map(({ history }) => history),
      this.#calls
        .map(({ thread, life, label, outcome, signer }) => [
          thread,
          signer,
          life,
          label,
          outcome === undefined ? 0 : describeOutcome(outcome),
        ])
        .sort(),
      this.#clients.map(({ state, retries }) => [state, retries]),
      this.#last,
      [...this.#digests].sort(),
      [...this.#signatures].sort(),
    ]);
  }

  /** Once faults stop: the reserved bytes and the next level are signed, by either signer. */
  async #checkLiveness(): Promise<string | undefined> {
    this.#calm = true;
    for (const kind of new Set(this.#clients.map(({ request }) => request.kind))) {
      for (const { request } of this.#clients) {
        const row = this.#rows.get(rowName({ ...KEY, kind }))?.row;
        if (request.kind !== kind || row === undefined) continue;
        for (const signer of [0, 1]) {
          const answer = await this.#ask(signer, request);
          const reserved = compare(request.position, row) === 0 && row.digest === request.bytes;
          const isNew = compare(request.position, row) > 0;
          if ((reserved || isNew) && !answer.startsWith("s"))
            return `${describe(request)} is not signed after the faults: ${answer}`;
          if (this.#violation !== undefined) return this.#violation;
        }
      }
      const level = (this.#rows.get(rowName({ ...KEY, kind }))?.row.level ?? 0) + 1;
      for (const signer of [0, 1]) {
        const next = { kind, position: { level: level + signer, round: 0 }, bytes: `next${kind}${signer}` };
        const answer = await this.#ask(signer, next);
        if (!answer.startsWith("s")) return `the next level is not signed after the faults: ${answer}`;
      }
      if (this.#violation !== undefined) return this.#violation;
    }
    const stops = this.#signers.flatMap(({ trusted }) => [...trusted.stops.values()]);
    return stops.length > 0 ? `a hard stop without a cause: ${stops}` : undefined;
  }
}

/** Goes on with the last request first, and without a fault. */
function rank({ thread, cost }: Step, last: number): number {
  return (thread === last ? 0 : 1) + (cost.faults ?? 0) * 2 + (cost.crashes ?? 0) * 4;
}

function attempt(work: () => unknown): { value: unknown } | { error: Error } {
  try {
    return { value: work() };
  } catch (error) {
    return { error: error as Error };
  }
}

function describeOutcome(outcome: NonNullable<Call["outcome"]>): string {
  return "error" in outcome ? outcome.error.message : JSON.stringify(outcome.value ?? null);
}

function describe({ signer, kind, position, bytes }: ExplorerRequest): string {
  return `${kind} ${bytes} at ${position.level}/${position.round} to signer ${signer}`;
}

/** Until every promise that can go on has done so: each callback of setImmediate comes after all of them. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
