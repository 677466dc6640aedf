/**
 * What a preflight says: rows. Pure.
 * @module
 */
import type { Asker } from "../arm/client.ts";
import type { StackConfig } from "../config/schema.ts";
import type { Plan } from "../plan/plan.ts";

/** One thing that an `up` needs, and how it is with it. */
export interface Row {
  readonly name: string;
  readonly verdict: "ok" | "not ok" | "not known";
  /** A sentence without a full stop. */
  readonly says: string;
  /** The one command that mends it; where Azure has none for that, where to go. */
  readonly mend?: string;
}

/** Makes a row of what is as it should be. */
export function ok(name: string, says: string): Row {
  return { name, verdict: "ok", says };
}

/** Makes a row of what stands in the way of an `up`. */
export function notOk(name: string, says: string, mend: string): Row {
  return { name, verdict: "not ok", says, mend };
}

/** Makes a row of what could not be asked. */
export function notKnown(name: string, why: string): Row {
  return { name, verdict: "not known", says: why };
}

/** What is looked at, and with what. */
export interface Facts {
  readonly settings: StackConfig;
  readonly plan: Plan;
  /** As in `/subscriptions/GUID`. */
  readonly subscription: string;
  readonly asker: Asker;
  /** Object id of whoever asks; undefined where the token does not tell. */
  readonly objectId: string | undefined;
  /** Name of the stack's resource group. */
  readonly group: string;
  /** Ids of what is in that group, in lower case; undefined where there is no group. */
  readonly standing: ReadonlySet<string> | undefined;
  /** The stack's random id, which is the end of its names; undefined before the first `up`. */
  readonly id: string | undefined;
  /** The names of all API versions that the stack uses, and their ends, are held to it. */
  readonly now: Date;
  /** Tells the address from which this computer reaches the Internet. @throws Error where nobody tells */
  readonly ownAddress: () => Promise<string>;
}

/** Looks at one thing or more. */
export interface Check<Seen = Facts> {
  /** Names of the rows, one at least of each whatever Azure answers. */
  readonly rows: readonly string[];
  /** @throws Error where Azure does not tell: each row is not known then */
  examine(facts: Seen): Promise<Row[]>;
}

/** Names are the same in any case, with blanks and without: `North Europe` is northeurope. */
export function same(one: string, other: string): boolean {
  const plain = (name: string) => name.replaceAll(" ", "").toLowerCase();
  return plain(one) === plain(other);
}

/** Tells whether the plan has a resource of a type, such as `compute:VirtualMachine`. */
export function has({ plan }: Pick<Facts, "plan">, type: string): boolean {
  return plan.resources.some((resource) => resource.type === `azure-native:${type}`);
}

/** Tells whether a resource of the stack is in its group already, by the end of its id. */
export function stands({ standing }: Pick<Facts, "standing">, end: string): boolean {
  return [...(standing ?? [])].some((id) => id.endsWith(`/${end.toLowerCase()}`));
}
