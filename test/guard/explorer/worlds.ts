import type { Versioned } from "../../../signer/watermark/stores/store.ts";
import { type Event, NOW, type StoreOperation } from "./messages.ts";
import { importMark, isRefused, isWrite, release, type Store } from "./outside.ts";
import { Values } from "./values.ts";
import type { Cost, Step, Told, View, Views } from "./views.ts";
import { type Bounds, type Change, type Client, NOTHING, type Scenario, Unknown, World } from "./world.ts";

/** What can follow on what. */
export class Worlds {
  readonly #scenario: Scenario;
  readonly #bounds: readonly Bounds[];
  readonly #views: Views;
  readonly #fresh: View;
  readonly #isReduced: boolean;
  readonly #values = new Values();
  readonly #spending = new Map<Bounds, Readonly<Record<Cost, Bounds | undefined>>>();
  /** What is being tried. */
  step: Step | string = "the beginning";

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
  }

  first(): World {
    const { begins, requests } = this.#scenario;
    const row: Versioned = { row: { level: 0, round: 0, digest: "00", anchor: { level: 0, at: NOW } }, version: "1" };
    const rows = begins === "rows" ? Object.fromEntries(requests.map(({ kind }) => [kind, row])) : {};
    const store = this.#values.stores.of({ identity: begins === "no-store" ? undefined : "id", rows });
    const clients = this.#values.clients.of(requests.map(() => "idle"));
    const released = this.#values.released.of({ digests: {}, signatures: {} });
    return new World(store, this.#fresh, this.#fresh, 0, clients, released, NOTHING, undefined, this.step);
  }

  store(world: World): Store {
    return this.#values.stores.value(world.store);
  }

  /** What the store holds and what was released, in words. */
  end(world: World): string {
    return `${this.#values.stores.text(world.store)} ${this.#values.released.text(world.released)}`;
  }

  /** Whether every client is answered or has given up, and nothing is under way. */
  isOver({ first, second, clients }: World): boolean {
    if (first.state.calls.length + second.state.calls.length > 0) return false;
    return this.#values.clients.value(clients).every((client) => client === "over");
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
    this.#afterImport(world, worlds);
    const loose = this.#values.loose.value(world.loose);
    for (const [index, operation] of loose.entries()) {
      this.step = `${operation.does} that nobody waits for: done`;
      const { store } = this.#values.perform(world.store, operation as StoreOperation);
      worlds.push(this.#change(world, 0, { store, loose: this.#values.loose.of(loose.toSpliced(index, 1)) }));
    }
    return worlds;
  }

  #afterImport(world: World, worlds: World[]): void {
    const { imported } = this.#scenario;
    const spent = imported && this.#spend(world.spent, "imports");
    if (imported === undefined || spent === undefined) return;
    this.step = `import of ${imported.kind} ${imported.bytes} at ${imported.level}/${imported.round}`;
    const store = this.#values.stores.of(importMark(this.store(world), imported));
    worlds.push(this.#change(world, 0, { store, spent }));
  }

  /** Whether a signer or one of its clients can do something that is no fault. */
  #canGoOn(world: World, signer: 0 | 1): boolean {
    const isIdle = (client: Client, index: number) => client === "idle" && this.#isClientOf(index, signer);
    const hasIdle = this.#values.clients.value(world.clients).some(isIdle);
    // Where it counts what the store held when a request came, coming is a step that touches the store.
    if (this.#scenario.imported !== undefined && hasIdle) return false;
    return world.view(signer).canGoOn || hasIdle;
  }

  #isClientOf(index: number, signer: 0 | 1): boolean {
    return this.#scenario.requests[index]?.signer === signer;
  }

  /** Faults first, so that the search, which goes on with the last, finds what needs none of them sooner. */
  #afterSigner(world: World, signer: 0 | 1, worlds: World[]): void {
    const clients = this.#values.clients.value(world.clients);
    const crashed = this.#spend(world.spent, "crashes");
    const { steps } = world.view(signer);
    if (crashed !== undefined && world.view(signer) !== this.#fresh) worlds.push(this.#crash(world, signer, crashed));
    for (let index = steps.length - 1; index >= 0; index -= 1) {
      const step = steps[index] as Step;
      const spent = step.cost === undefined ? world.spent : this.#spend(world.spent, step.cost);
      if (spent !== undefined) worlds.push(this.#take(world, signer, step, spent));
    }
    for (const [index, client] of clients.entries()) {
      if (client !== "idle" || !this.#isClientOf(index, signer)) continue;
      worlds.push(this.#send(world, signer, index));
      this.step = `client ${index} asks no more`;
      worlds.push(this.#change(world, signer, { clients: this.#values.over(world.clients, index) }));
    }
  }

  /** What is spent with one more, or undefined where that leaves the bounds. */
  #spend(spent: Bounds, cost: Cost): Bounds | undefined {
    let more = this.#spending.get(spent);
    if (more === undefined) {
      const one = (cost: Cost) => {
        const more = { ...spent, [cost]: spent[cost] + 1 };
        const names = ["faults", "crashes", "deadlines", "imports"] as const;
        return this.#bounds.some((bound) => names.every((name) => more[name] <= bound[name])) ? more : undefined;
      };
      more = {
        faults: one("faults"),
        crashes: one("crashes"),
        deadlines: one("deadlines"),
        imports: one("imports"),
      };
      this.#spending.set(spent, more);
    }
    return more[cost];
  }

  #take(world: World, signer: 0 | 1, step: Step, spent: Bounds): World {
    this.step = step;
    const view = world.view(signer);
    if (step.does === "perform") {
      const { store, outcome, text } = this.#values.perform(world.store, step.operation);
      return this.#change(world, signer, { store, view: this.#views.with(view, step.call.name, outcome, text) });
    }
    if (step.does === "tell") {
      const loose = step.leaves === undefined ? world.loose : this.#values.loosen(world.loose, step.leaves);
      return this.#tell(world, signer, step, step.event, { spent, loose });
    }
    const { name, attempt, operation } = step.call;
    if (operation.does !== "sign") throw new Error("only the key signs");
    const signature = this.#values.signature(world, attempt, operation.request);
    this.step = `sign of ${name}: hears ${signature}`;
    const event = { tells: "outcome", call: name, outcome: { value: signature } } as const;
    return this.#tell(world, signer, `${name} ${signature}`, event, { spent });
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
    const isLate = this.#scenario.imported !== undefined && isRefused(this.store(world), request);
    const client = { attempt, ...(isLate && { late: true as const }) };
    const clients = this.#values.clients.of(this.#values.clients.value(world.clients).with(index, client));
    const event = { tells: "request", attempt, request: { kind, level, round, bytes } } as const;
    return this.#tell(world, signer, attempt, event, { clients });
  }

  #tell(world: World, signer: 0 | 1, what: Step | string, event: Event, change: Change): World {
    const view = world.view(signer);
    const told = view.told.get(what);
    if (told === undefined) throw new Unknown(() => this.#views.tell(view, what, event));
    if (told.answers.length === 0) return this.#change(world, signer, { ...change, view: told.view });
    const answered = this.#answered(change.clients ?? world.clients, world.released, told);
    return this.#change(world, signer, { ...change, ...answered, view: told.view });
  }

  #answered(waiting: number, before: number, { answers, answered }: Told): Pick<World, "clients" | "released"> {
    const key = waiting * 2 ** 16 + before;
    const known = answered.get(key);
    if (known !== undefined) return known;
    let clients = waiting;
    let released = before;
    for (const { attempt, says } of answers) {
      const now = this.#values.clients.value(clients);
      const index = now.findIndex((client) => typeof client === "object" && client.attempt === attempt);
      const request = this.#scenario.requests[index];
      if (request === undefined) throw new Error(`nobody waits for ${attempt}`);
      const client = now[index];
      const isLate = typeof client === "object" && client.late === true;
      if ("signature" in says) {
        const before = this.#values.released.value(released);
        released = this.#values.released.of(release(before, request, says.signature, isLate));
      }
      clients = this.#values.clients.of(now.with(index, "again" in says ? "idle" : "over"));
    }
    const after = { clients, released };
    answered.set(key, after);
    return after;
  }

  /** Its memory is gone, its writes may still be done, its clients hear nothing. */
  #crash(world: World, signer: 0 | 1, spent: Bounds): World {
    this.step = `signer ${signer} crashes and starts again`;
    const { state, unheard } = world.view(signer);
    const left = state.calls.filter(({ name, operation }) => isWrite(operation) && unheard[name] === undefined);
    const loose = left.reduce((loose, { operation }) => this.#values.loosen(loose, operation), world.loose);
    const clients = this.#values.clients
      .value(world.clients)
      .map((client, index) => (typeof client === "object" && this.#isClientOf(index, signer) ? "idle" : client));
    return this.#change(world, signer, { loose, spent, clients: this.#values.clients.of(clients), view: this.#fresh });
  }

  #change(world: World, signer: 0 | 1, change: Change): World {
    const store = change.store ?? world.store;
    let loose = change.loose ?? world.loose;
    const view = (index: 0 | 1) => {
      const raw = index === signer && change.view !== undefined ? change.view : world.view(index);
      if (!this.#isReduced) return raw;
      const { quiet } = raw;
      if (quiet === undefined) throw new Unknown(() => this.#views.findQuiet(raw));
      for (const operation of quiet.leaves) loose = this.#values.loosen(loose, operation);
      return this.#settle(quiet.view, store);
    };
    const first = view(0);
    const second = view(1);
    if (this.#isReduced) loose = this.#values.notLost(loose, store);
    const { clients = world.clients, released = world.released, spent = world.spent } = change;
    return new World(store, first, second, loose, clients, released, spent, world, this.step);
  }

  /** Each call that can come to one end only has come to it. */
  #settle(view: View, store: number): View {
    let settled = view.settled.get(store);
    if (settled === undefined) {
      settled = this.#views.settle(view, this.#values.stores.value(store));
      view.settled.set(store, settled);
    }
    return settled;
  }
}
