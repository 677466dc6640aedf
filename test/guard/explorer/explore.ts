import type { Initialise } from "../../../signer/watermark/initialise.ts";
import { MetWorlds } from "./interned.ts";
import { checkLiveness } from "./liveness.ts";
import { SignerMachine } from "./machine.ts";
import { BrokenPromise, NOW } from "./messages.ts";
import { REAL, type SignerParts } from "./run.ts";
import { describe, Views } from "./views.ts";
import { type Bounds, type Scenario, Unknown, type World } from "./world.ts";
import { Worlds } from "./worlds.ts";

export interface Explored {
  /** Orders that end, or that come to a world from which all was explored: each differs from every other in a step. */
  readonly schedules: number;
  readonly worlds: number;
  readonly steps: number;
  /** Transitions of a signer that the real code executed. */
  readonly executed: number;
  /** What the store held and what was released where nothing was left to do. */
  readonly ends: ReadonlySet<string>;
  /** The first promise that was broken, with the steps that led to it. */
  readonly violation?: string;
}

interface Options {
  readonly parts?: SignerParts;
  /** The most schedules; the rest is left out. */
  readonly limit?: number;
  /** False tries every order of all steps, which finds the same in more time. */
  readonly isReduced?: boolean;
}

const WINDOW: Initialise = { level: 1, until: NOW + 3_600_000 };

/**
 * A bounded-exhaustive explorer of the real guard: two signers with memories of their own on one store, every call to the
 * store or to the key a point where anything else may come first. In each world the promises of docs/safety.md are checked,
 * and in each end that signing goes on.
 *
 * What can happen, in any order and without a bound: a client asks, asks again after a 502 or a crash, or gives up; a call is
 * done in the store; its answer reaches the signer; the key answers; a write that nobody hears of any more is done, or never.
 * Where the scenario has a mark to import, an operator imports it, once and at any time.
 * Within bounds: a fault (a call whose signer hears of an outage or of a lost race, while the call is not done, was done, or is
 * done later; a key that fails), a crash (the memory is gone, the writes under way may still be done), and a deadline that ends
 * while calls are under way.
 *
 * Every step of a signer is executed by the real code (machine.ts). Reduction, by four rules that change no end:
 * 1. Worlds with the same store, signers, clients and releases are one. A signer is all that its memory holds and each attempt
 *    was told since it last decided (run.ts). From a world that was met with no more spent nothing is explored again.
 * 2. Where nothing that a signer can do next depends on when the store is asked, only its steps are tried: whatever else may
 *    happen happens just as well afterwards, since the two share the store and nothing else.
 * 3. A call that can come to one end only, such as a write over a state that is gone, has come to it.
 * 4. A call of an attempt that is over, whose every outcome leaves the signer in the same state, is forgotten; if it writes,
 *    it may still be done.
 * A pause ends at once: whatever may come first during one may also come without it.
 * @param bounds corners: what is spent must fit into one of them
 */
export async function explore(
  scenario: Scenario,
  bounds: readonly Bounds[],
  { parts = REAL, limit = Number.POSITIVE_INFINITY, isReduced = true }: Options = {},
): Promise<Explored> {
  const machine = new SignerMachine(parts, scenario.begins === "rows" ? WINDOW : "always");
  const views = new Views(machine);
  const worlds = new Worlds(scenario, bounds, views, views.of(await machine.start(), {}), isReduced);
  const met = new MetWorlds();
  const isNew = ({ store, clients, loose, released, first, second, spent }: World) =>
    met.meet(pair(store, clients), pair(loose, released), first.id, second.id, bit(spent), covered(spent));
  const ends = new Set<string>();
  let schedules = 0;
  let steps = 0;
  let world = worlds.first();
  isNew(world);
  const todo = [world];
  const counts = () => ({ schedules, worlds: met.size, steps, executed: machine.executed, ends });
  try {
    for (let next = todo.pop(); next !== undefined && schedules < limit; next = todo.pop()) {
      world = next;
      if (worlds.isOver(world)) {
        schedules += 1;
        ends.add(worlds.end(world));
        await checkLiveness(machine, scenario.requests, worlds.store(world), [world.first, world.second]);
      }
      for (const after of await learning(() => worlds.after(world))) {
        steps += 1;
        if (isNew(after)) todo.push(after);
        else schedules += 1;
      }
    }
  } catch (error) {
    if (!(error instanceof BrokenPromise)) throw error;
    return {
      ...counts(),
      violation: [`${scenario.name}: ${error.message}`, ...trace(world), words(worlds.step)].join("\n"),
    };
  }
  return counts();
}

/** Tries until nothing is unknown to it any more. */
async function learning<T>(attempt: () => T): Promise<T> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof Unknown)) throw error;
      await error.learn();
    }
  }
}

/** Two small numbers as one of 31 bits. */
function pair(a: number, b: number): number {
  if (a >= 2 ** 16 || b >= 2 ** 15) throw new Error("more values than the explorer has numbers for");
  return a * 2 ** 15 + b;
}

/** At most two faults, one crash, one deadline and one import: a bit for each amount. */
function bit({ faults, crashes, deadlines, imports }: Bounds): number {
  return 1 << (faults * 8 + crashes * 4 + deadlines * 2 + imports);
}

/** The bits of this amount and of all that is more. */
function covered(spent: Bounds): number {
  let bits = 0;
  for (let faults = spent.faults; faults <= 2; faults += 1) {
    for (let crashes = spent.crashes; crashes <= 1; crashes += 1) {
      for (let deadlines = spent.deadlines; deadlines <= 1; deadlines += 1) {
        for (let imports = spent.imports; imports <= 1; imports += 1)
          bits |= bit({ faults, crashes, deadlines, imports });
      }
    }
  }
  return bits;
}

function words(step: World["step"]): string {
  return typeof step === "string" ? step : describe(step);
}

/** The steps that led to a world. */
function trace(world: World): string[] {
  const steps: string[] = [];
  for (let at: World | undefined = world; at !== undefined; at = at.before) steps.unshift(words(at.step));
  return steps;
}
