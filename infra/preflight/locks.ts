/**
 * Locks that would stop an `up`, other than the stack's own.
 * @module
 */
import { lift, lockSaid, locksOn } from "../arm/locks.ts";
import { type Check, type Facts, notOk, ok } from "./row.ts";

export const LOCKS: Check = {
  rows: ["locks"],
  async examine({ subscription, group, asker }: Facts) {
    const [first] = await locksOn(`${subscription}/resourceGroups/${group}`, asker);
    if (first === undefined) return [ok("locks", "none but the stack's own holds its group")];
    return [notOk("locks", lockSaid(first), lift(first))];
  },
};
