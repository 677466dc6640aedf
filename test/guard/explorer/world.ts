import type { Versioned } from "../../../signer/watermark/store.ts";
import { Interned } from "./interned.ts";
import { type Event, NOW, type Operation, type Outcome, type Request, type StoreOperation } from "./messages.ts";
import { isLost, isWrite, perform, type Released, release, type Store } from "./outside.ts";
import type { Cost, Step, Told, View, Views } from "./views.ts";

export interface ExplorerRequest extends Request {
  readonly signer: 0 | 1;
}

export interface Scenario {
  readonly name: string;
  readonly requests: readonly ExplorerRequest[];
  /** The rows at the beginning: at level 0, or none at all. */
  readonly begins: "rows" | "empty" | "no-store";
}

export type Bounds = Readonly<Record<Cost, number>>;

/** A client asks nothing yet, or nothing now, after a 502 or a crash; waits for an attempt; or asks no more. */
type Client = "idle" | "over" | { readonly attempt: string };

/** Everything at one moment; most of it as numbers of interned values. */
export class World {
  readonly store: number;
  readonly first: View;
  readonly second: View;
  /** Writes that nobody hears of any more and that may still be done. */
  readonly loose: number;
  readonly clients: number;
  readonly released: number;
  readonly spent: Bounds;
  /** The world before, and the step that led here. */
  readonly before: World | undefined;
  readonly step: string;

  constructor(
    store: number,
    first: View,
    second: View,
    loose: number,
    clients: number,
    released: number,
    spent: Bounds,
    before: World | undefined,
    step: string,
  ) {
    this.store = store;
    this.first = first;
    this.second = second;
    this.loose = loose;
    this.clients = clients;
    this.released = released;
    this.spent = spent;
    this.before = before;
    this.step = step;
  }

  view(signer: 0 | 1): View {
    return signer === 0 ? this.first : this.second;
  }
}

/** Thrown for something that the real code has not been told yet: `learn`, then ask again. No error, so it has no stack. */
export class Unknown {
  readonly learn: () => Promise<unknown>;

  constructor(learn: () => Promise<unknown>) {
    this.learn = learn;
  }
}

/** What a step changes. */
interface Change {
  readonly store?: number;
  readonly view?: View;
  readonly loose?: number;
  readonly clients?: number;
  readonly released?: number;
  readonly spent?: Bounds;
}

export const NOTHING: Bounds = { faults: 0, crashes: 0, deadlines: 0 };

/** What can follow on what. */
export class Worlds {
  readonly #scenario: Scenario;
  readonly #bounds: readonly Bounds[];
  readonly #views: Views;
  readonly #fresh: View;
  readonly #isReduced: boolean;
  readonly #stores = new Interned<Store>();
  readonly #loose = new Interned<readonly Operation[]>();
  readonly #clients = new Interned<readonly Client[]>();
  readonly #released = new Interned<Released>();
  readonly #performed = new Map<StoreOperation, Map<number, Performed>>();
  readonly #spending = new Map<Bounds, Readonly<Record<Cost, Bounds | undefined>>>();
  /** What is being tried. */
  step = "the beginning";

  /**
   * @param fresh a signer that has just started
   * @param isReduced whether to leave out orders and differences that tell nothing
   */
  constructor(scenario: Scenario, bounds: readonly Bounds[], views: Views, fresh: View, isReduced: boolean) {
    this.#scenario = scenario;
    this.#bounds = bounds;
    this.#views = views;
    this.#fresh = fresh;
    this.#isReduced = isReduced;
    this.#loose.of([]);
  }

  first(): World {
    const { begins, requests } = this.#scenario;
    const row: Versioned = { row: { level: 0, round: 0, digest: "00", anchor: { level: 0, at: NOW } }, version: "1" };
    const rows = begins === "rows" ? Object.fromEntries(requests.map(({ kind }) => [kind, row])) : {};
    const store = this.#stores.of({ identity: begins === "no-store" ? undefined : "id", rows });
    const clients = this.#clients.of(requests.map(() => "idle"));
    const released = this.#released.of({ digests: {}, signatures: {} });
    return new World(store, this.#fresh, this.#fresh, 0, clients, released, NOTHING, undefined, this.step);
  }

  store(world: World): Store {
    return this.#stores.value(world.store);
  }

  /** What the store holds and what was released, in words. */
  end(world: World): string {
    return `${this.#stores.text(world.store)} ${this.#released.text(world.released)}`;
  }

  /** Whether every client is answered or has given up, and nothing is under way. */
  isOver({ first, second, clients }: World): boolean {
    if (first.state.calls.length + second.state.calls.length > 0) return false;
    return this.#clients.value(clients).every((client) => client === "over");
  }

  /**
   * The worlds that can come next. Where all that a signer can do next has nothing to do with the store, only its steps are
   * tried: whatever else may happen, happens just as well after one of them.
   * @throws BrokenPromise
   * @throws Unknown
   */
  after(world: World): readonly World[] {
    const worlds: World[] = [];
    for (const signer of [0, 1] as const) {
      if (!this.#isReduced || world.view(signer).touchesStore || !this.#canGoOn(world, signer)) continue;
      this.#afterSigner(world, signer, worlds);
      return worlds;
    }
    this.#afterSigner(world, 0, worlds);
    this.#afterSigner(world, 1, worlds);
    const loose = this.#loose.value(world.loose);
    for (const [index, operation] of loose.entries()) {
      this.step = `${operation.does} that nobody waits for: done`;
      const { store } = this.#perform(world.store, operation as StoreOperation);
      worlds.push(this.#change(world, 0, { store, loose: this.#loose.of(loose.toSpliced(index, 1)) }));
    }
    return worlds;
  }

  /** Whether a signer or one of its clients can do something that is no fault. */
  #canGoOn(world: World, signer: 0 | 1): boolean {
    if (world.view(signer).canGoOn) return true;
    const isIdle = (client: Client, index: number) => client === "idle" && this.#isClientOf(index, signer);
    return this.#clients.value(world.clients).some(isIdle);
  }

  #isClientOf(index: number, signer: 0 | 1): boolean {
    return this.#scenario.requests[index]?.signer === signer;
  }

  /** Faults first, so that the search, which goes on with the last, finds what needs none of them sooner. */
  #afterSigner(world: World, signer: 0 | 1, worlds: World[]): void {
    const clients = this.#clients.value(world.clients);
    const crashed = this.#spend(world.spent, "crashes");
    const isWaiting = (client: Client, index: number) => typeof client === "object" && this.#isClientOf(index, signer);
    if (crashed !== undefined && clients.some(isWaiting)) worlds.push(this.#crash(world, signer, crashed));
    const { steps } = world.view(signer);
    for (let index = steps.length - 1; index >= 0; index -= 1) {
      const step = steps[index] as Step;
      const spent = step.cost === undefined ? world.spent : this.#spend(world.spent, step.cost);
      if (spent !== undefined) worlds.push(this.#take(world, signer, step, spent));
    }
    for (const [index, client] of clients.entries()) {
      if (client !== "idle" || !this.#isClientOf(index, signer)) continue;
      worlds.push(this.#send(world, signer, index));
      this.step = `client ${index} asks no more`;
      worlds.push(this.#change(world, signer, { clients: this.#clients.of(clients.with(index, "over")) }));
    }
  }

  /** What is spent with one more, or undefined where that leaves the bounds. */
  #spend(spent: Bounds, cost: Cost): Bounds | undefined {
    let more = this.#spending.get(spent);
    if (more === undefined) {
      const one = (cost: Cost) => {
        const more = { ...spent, [cost]: spent[cost] + 1 };
        const names = ["faults", "crashes", "deadlines"] as const;
        return this.#bounds.some((bound) => names.every((name) => more[name] <= bound[name])) ? more : undefined;
      };
      more = { faults: one("faults"), crashes: one("crashes"), deadlines: one("deadlines") };
      this.#spending.set(spent, more);
    }
    return more[cost];
  }

  #take(world: World, signer: 0 | 1, step: Step, spent: Bounds): World {
    this.step = step.label;
    const view = world.view(signer);
    if (step.does === "perform") {
      const { store, outcome, text } = this.#perform(world.store, step.operation);
      return this.#change(world, signer, { store, view: this.#views.with(view, step.call, outcome, text) });
    }
    if (step.does === "tell") {
      const loose = step.leaves === undefined ? world.loose : this.#loosen(world.loose, [step.leaves]);
      return this.#tell(world, signer, step.label, step.event, { spent, loose });
    }
    const { name, attempt, operation } = step.call;
    if (operation.does !== "sign") throw new Error("only the key signs");
    const signature = this.#signature(world, attempt, operation.request);
    this.step = `sign of ${name}: hears ${signature}`;
    const event = { tells: "outcome", call: name, outcome: { value: signature } } as const;
    return this.#tell(world, signer, `${name} ${signature}`, event, { spent });
  }

  /** A name that no signature has that is anywhere; only those of blocks are told apart. */
  #signature({ store, loose, released, first, second }: World, attempt: string, { kind, bytes }: Request): string {
    if (kind !== "block") return `sof${bytes}`;
    const texts = [this.#stores.text(store), this.#loose.text(loose), this.#released.text(released)];
    for (let n = 0; ; n += 1) {
      const name = `s${attempt}.${n}of${bytes}`;
      const isHeld = ({ state, text }: View) => state.signatures.has(name) || text.includes(name);
      if (!isHeld(first) && !isHeld(second) && !texts.some((text) => text.includes(name))) return name;
    }
  }

  #send(world: World, signer: 0 | 1, index: number): World {
    const request = this.#scenario.requests[index];
    if (request === undefined) throw new Error("no such request");
    const { kind, level, round, bytes } = request;
    const { calls } = world.view(signer).state;
    let n = 0;
    while (calls.some(({ attempt }) => attempt === `${index}.${n}`)) n += 1;
    const attempt = `${index}.${n}`;
    this.step = `${attempt}: client ${index} asks signer ${signer} for ${kind} ${bytes} at ${level}/${round}`;
    const clients = this.#clients.of(this.#clients.value(world.clients).with(index, { attempt }));
    const event = { tells: "request", attempt, request: { kind, level, round, bytes } } as const;
    return this.#tell(world, signer, attempt, event, { clients });
  }

  #tell(world: World, signer: 0 | 1, name: string, event: Event, change: Change): World {
    const view = world.view(signer);
    const told = view.told.get(name);
    if (told === undefined) throw new Unknown(() => this.#views.tell(view, name, event));
    if (told.answers.length === 0) return this.#change(world, signer, { ...change, view: told.view });
    const answered = this.#answered(change.clients ?? world.clients, world.released, told);
    return this.#change(world, signer, { ...change, ...answered, view: told.view });
  }

  #answered(waiting: number, before: number, { answers }: Told): Pick<World, "clients" | "released"> {
    let clients = waiting;
    let released = before;
    for (const { attempt, says } of answers) {
      const now = this.#clients.value(clients);
      const index = now.findIndex((client) => typeof client === "object" && client.attempt === attempt);
      const request = this.#scenario.requests[index];
      if (request === undefined) throw new Error(`nobody waits for ${attempt}`);
      if ("signature" in says)
        released = this.#released.of(release(this.#released.value(released), request, says.signature));
      clients = this.#clients.of(now.with(index, "again" in says ? "idle" : "over"));
    }
    return { clients, released };
  }

  /** Its memory is gone, its writes may still be done, its clients hear nothing. */
  #crash(world: World, signer: 0 | 1, spent: Bounds): World {
    this.step = `signer ${signer} crashes and starts again`;
    const { state, unheard } = world.view(signer);
    const left = state.calls.filter(({ name, operation }) => isWrite(operation) && unheard[name] === undefined);
    const operations = left.map(({ operation }) => operation);
    const loose = this.#loosen(world.loose, operations);
    const clients = this.#clients
      .value(world.clients)
      .map((client, index) => (typeof client === "object" && this.#isClientOf(index, signer) ? "idle" : client));
    return this.#change(world, signer, { loose, spent, clients: this.#clients.of(clients), view: this.#fresh });
  }

  #loosen(loose: number, operations: readonly Operation[]): number {
    if (operations.length === 0) return loose;
    const texts = [...this.#loose.value(loose), ...operations].map((operation) => JSON.stringify(operation));
    // Two equal writes are one: whichever is done first, the other one does nothing.
    return this.#loose.of([...new Set(texts)].sort().map((text) => JSON.parse(text)));
  }

  #perform(store: number, operation: StoreOperation): Performed {
    let byStore = this.#performed.get(operation);
    if (byStore === undefined) {
      byStore = new Map();
      this.#performed.set(operation, byStore);
    }
    let performed = byStore.get(store);
    if (performed === undefined) {
      const { store: after, outcome } = perform(this.#stores.value(store), operation);
      performed = { store: this.#stores.of(after), outcome, text: JSON.stringify(outcome) };
      byStore.set(store, performed);
    }
    return performed;
  }

  #change(world: World, signer: 0 | 1, change: Change): World {
    const store = change.store ?? world.store;
    let loose = change.loose ?? world.loose;
    const view = (index: 0 | 1) => {
      const raw = index === signer && change.view !== undefined ? change.view : world.view(index);
      if (!this.#isReduced) return raw;
      const { quiet } = raw;
      if (quiet === undefined) throw new Unknown(() => this.#views.findQuiet(raw));
      if (quiet.leaves.length > 0) loose = this.#loosen(loose, quiet.leaves);
      return this.#settle(quiet.view, store);
    };
    const first = view(0);
    const second = view(1);
    if (loose !== 0 && this.#isReduced) {
      const now = this.#stores.value(store);
      const all = this.#loose.value(loose);
      if (all.some((operation) => isLost(now, operation)))
        loose = this.#loose.of(all.filter((operation) => !isLost(now, operation)));
    }
    const { clients = world.clients, released = world.released, spent = world.spent } = change;
    return new World(store, first, second, loose, clients, released, spent, world, this.step);
  }

  /** Each call that can come to one end only has come to it. */
  #settle(view: View, store: number): View {
    let settled = view.settled.get(store);
    if (settled === undefined) {
      settled = this.#views.settle(view, this.#stores.value(store));
      view.settled.set(store, settled);
    }
    return settled;
  }
}

interface Performed {
  readonly store: number;
  readonly outcome: Outcome;
  readonly text: string;
}
