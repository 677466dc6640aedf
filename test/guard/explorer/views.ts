import type { SignerMachine, SignerState } from "./machine.ts";
import type { Answer, Call, Event, Operation, Outcome, StoreOperation } from "./messages.ts";
import { isWrite, type Store, settled } from "./outside.ts";

/** What a step takes out of the bounds. */
export type Cost = "faults" | "crashes" | "deadlines" | "imports";

/** Something that can happen to a signer. */
export type Step = { readonly cost?: Cost } & (
  | { readonly does: "perform"; readonly call: Call; readonly operation: StoreOperation }
  /** `leaves`: a write that nobody hears of any more, and that may still be done. */
  | { readonly does: "tell"; readonly event: Event; readonly leaves?: Operation }
  | { readonly does: "sign"; readonly call: Call }
);

export interface Told {
  readonly view: View;
  readonly answers: readonly Answer[];
  /** What the answers made of clients and releases, by the numbers of both before. */
  readonly answered: Map<number, { readonly clients: number; readonly released: number }>;
}

/** A view without what no longer matters, and the writes that are loose since. */
interface Quiet {
  readonly view: View;
  readonly leaves: readonly Operation[];
}

/** One signer in a world: its state, and what came of its calls that it has not heard yet. */
export class View {
  readonly id: number;
  readonly state: SignerState;
  /** By the call's name. */
  readonly unheard: Readonly<Record<string, Outcome>>;
  /** All of `unheard`. */
  readonly text: string;
  /** What can happen to it next, a fault last. */
  readonly steps: readonly Step[];
  /** Whether what it does next depends on when the store is asked. */
  readonly touchesStore: boolean;
  /** What followed on what it was told. */
  readonly told = new Map<Step | string, Told>();
  /** What followed, by the call and its outcome. */
  readonly heard = new Map<string, View>();
  /** What `settle` made of it, by the store's number. */
  readonly settled = new Map<number, View>();
  quiet: Quiet | undefined;

  constructor(id: number, state: SignerState, unheard: View["unheard"], text: string) {
    this.id = id;
    this.state = state;
    this.unheard = unheard;
    this.text = text;
    this.steps = stepsOf(state, unheard);
    this.touchesStore = this.steps.some(({ does }) => does === "perform");
    if (state.calls.length === 0) this.quiet = { view: this, leaves: [] };
  }

  /** Whether it has a step that is no fault. */
  get canGoOn(): boolean {
    const [first] = this.steps;
    return first !== undefined && first.cost === undefined;
  }
}

/** All views of both signers. */
export class Views {
  readonly machine: SignerMachine;
  readonly #views = new Map<string, View>();

  constructor(machine: SignerMachine) {
    this.machine = machine;
  }

  of(state: SignerState, unheard: View["unheard"]): View {
    const text = JSON.stringify(Object.entries(unheard).sort());
    const name = `${state.id} ${text}`;
    let view = this.#views.get(name);
    if (view === undefined) {
      view = new View(this.#views.size, state, unheard, text);
      this.#views.set(name, view);
    }
    return view;
  }

  /** The view once a call has an outcome that the signer has not heard. */
  with(view: View, call: string, outcome: Outcome, text: string): View {
    const name = `${call} ${text}`;
    let next = view.heard.get(name);
    if (next === undefined) {
      next = this.of(view.state, { ...view.unheard, [call]: outcome });
      view.heard.set(name, next);
    }
    return next;
  }

  /**
   * Tells it something, for `told`.
   * @param what the step that tells it, or another name of the event
   * @throws BrokenPromise where the signer complains
   */
  async tell(view: View, what: Step | string, event: Event): Promise<Told> {
    const { state, answers } = await this.machine.tell(view.state, event);
    const heard = event.tells === "outcome" ? event.call : undefined;
    const isUnder = (call: string) => call !== heard && state.calls.some(({ name }) => name === call);
    const unheard = Object.fromEntries(Object.entries(view.unheard).filter(([call]) => isUnder(call)));
    const told = { view: this.of(state, unheard), answers, answered: new Map() };
    view.told.set(what, told);
    return told;
  }

  /** The view where each call has its outcome that can have only one. */
  settle(view: View, store: Store): View {
    let next = view;
    for (const { name, operation } of view.state.calls) {
      const outcome = view.unheard[name] === undefined ? settled(store, operation) : undefined;
      if (outcome !== undefined) next = this.of(next.state, { ...next.unheard, [name]: outcome });
    }
    return next;
  }

  /**
   * Finds the view without the calls whose attempt is over and whose outcome changes nothing, whatever it is; the writes
   * among them may still be done.
   */
  async findQuiet(view: View): Promise<void> {
    const leaves: Operation[] = [];
    let now = view;
    for (const { name, attempt, operation } of view.state.calls) {
      const mayBeIgnored = operation.does === "sign" || isWrite(operation);
      if (!mayBeIgnored || view.state.attempts.includes(attempt)) continue;
      const next: Told[] = [];
      for (const outcome of [{ value: "anything" }, { fault: "unavailable" }, { fault: "conflict" }] as const) {
        const event = { tells: "outcome", call: name, outcome } as const;
        next.push(await this.tell(now, JSON.stringify(event), event));
      }
      const [first] = next;
      if (first === undefined || next.some(({ view, answers }) => view !== first.view || answers.length > 0)) continue;
      if (isWrite(operation) && view.unheard[name] === undefined) leaves.push(operation);
      now = first.view;
    }
    view.quiet = { view: now, leaves };
  }
}

/** A step in words. */
export function describe(step: Step): string {
  if (step.does !== "tell") return `${step.call.operation.does} of ${step.call.name} is done`;
  const { event } = step;
  if (event.tells !== "outcome") return `the deadline of ${event.attempt} ends`;
  const what = "value" in event.outcome ? `hears ${JSON.stringify(event.outcome.value)}` : event.outcome.fault;
  return `${event.call}: ${what}`;
}

function stepsOf(state: SignerState, unheard: View["unheard"]): readonly Step[] {
  const steps = state.calls.flatMap((call) => stepsOfCall(call, unheard[call.name]));
  for (const attempt of state.deadlines) {
    const event = { tells: "deadline", attempt } as const;
    steps.push({ cost: "deadlines", does: "tell", event });
  }
  return steps.sort((a, b) => Number(a.cost !== undefined) - Number(b.cost !== undefined));
}

function stepsOfCall(call: Call, outcome: Outcome | undefined): Step[] {
  const { name, operation } = call;
  const tell = (outcome: Outcome, cost?: Cost, leaves?: Operation): Step => ({
    ...(cost && { cost }),
    does: "tell",
    event: { tells: "outcome", call: name, outcome },
    ...(leaves && { leaves }),
  });
  const unavailable = { fault: "unavailable" } as const;
  const conflict = { fault: "conflict" } as const;
  if (operation.does === "sign") return [{ does: "sign", call }, tell(unavailable, "faults")];
  if (outcome === undefined) {
    const done: Step = { does: "perform", call, operation };
    if (!isWrite(operation)) return [done, tell(unavailable, "faults")];
    return [done, tell(unavailable, "faults", operation), tell(conflict, "faults", operation)];
  }
  if (!isWrite(operation)) return [tell(outcome)];
  // Done, and the signer hears that it was not, or hears nothing.
  const isDone = "value" in outcome;
  return [tell(outcome), tell(unavailable, "faults"), ...(isDone ? [tell(conflict, "faults")] : [])];
}
