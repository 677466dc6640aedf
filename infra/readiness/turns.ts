import type * as pulumi from "@pulumi/pulumi";
import { type Names, standingWait } from "./standing-wait.ts";

/**
 * Returns machines in the order in which an `up` touches them: one that is not known to sign before one that is, so that at
 * every moment one of them does; else the last one first. Pure.
 * @param signs whether it was waited for with success, and nothing of it has changed since
 */
export function inTurn<Place>(machines: readonly Place[], signs: (machine: Place) => boolean): Place[] {
  const [known, unknown] = [true, false].map((is) => machines.filter((machine) => signs(machine) === is).toReversed());
  return [...(unknown ?? []), ...(known ?? [])];
}

/**
 * Asks Pulumi which machines sign as far as it remembers. Where it does not tell, whoever waits for that says it.
 * @param id the stack's random id
 * @param names gives the names in the program of what waits for a machine
 * @returns the machines in the order in which an `up` touches them
 */
export async function order<Place>(
  machines: readonly Place[],
  id: pulumi.Output<string>,
  names: (machine: Place) => Names,
): Promise<readonly Place[]> {
  if (machines.length === 1) return machines;
  const waits = machines.map((machine) => standingWait(id, names(machine)).catch(() => undefined));
  const signing = new Map((await Promise.all(waits)).map((wait, index) => [machines[index], wait?.holds ?? false]));
  return inTurn(machines, (machine) => signing.get(machine) ?? false);
}

/** Whose turn it is among a signer's machines: each has its own once those before it sign. */
export class Turns<Place> {
  readonly #order: Promise<readonly Place[]>;
  readonly #reports = new Map<Place, Promise<unknown>>();

  /** @param order the machines, in their order */
  constructor(order: Promise<readonly Place[]>) {
    this.#order = order;
    order.catch(() => undefined); // whoever waits for a turn says it
  }

  /** Resolves once it is a machine's turn; rejects where one before it does not sign. */
  async of(place: Place): Promise<void> {
    const order = await this.#order;
    await Promise.all(order.slice(0, order.indexOf(place)).map((before) => this.#reports.get(before)));
  }

  /** Says how many machines have their turn after one. */
  async after(place: Place): Promise<number> {
    const order = await this.#order;
    return order.length - 1 - order.indexOf(place);
  }

  /** Notes what is waited for of a machine. */
  note(place: Place, report: Promise<unknown>): void {
    report.catch(() => undefined); // as above
    this.#reports.set(place, report);
  }
}
