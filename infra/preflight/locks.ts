/**
 * Locks that would stop an `up`, other than the stack's own.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { all } from "../arm/client.ts";
import { word } from "../arm/word.ts";
import { type Check, type Facts, notOk, ok, type Row } from "./row.ts";

/** Management Locks - List At Subscription Level (Microsoft.Authorization, 2020-05-01): those of all below it too. */
const VERSION = "2020-05-01";

const Lock = z.object({ id: z.string(), name: z.string(), properties: z.object({ level: z.string() }) });

export type Lock = z.output<typeof Lock>;

/** These keep keys and watermarks, which nothing of an `up` deletes. */
const OWN = new Set(["keeps-the-keys", "keeps-the-watermarks"]);

/** Judges the locks of a subscription. */
export function locks(found: readonly Lock[], { subscription, group }: Pick<Facts, "subscription" | "group">): Row {
  const home = `${subscription}/resourceGroups/${group}`.toLowerCase();
  const holds = found.filter(({ id, name }) => {
    const scope = id.toLowerCase().split("/providers/microsoft.authorization/locks/")[0] ?? "";
    if (OWN.has(name)) return false;
    return `${home}/`.startsWith(`${scope}/`) || `${scope}/`.startsWith(`${home}/`);
  });
  const [first] = [...holds.filter(isReadOnly), ...holds];
  if (first === undefined) return ok("locks", "none but the stack's own holds its group");
  const what = isReadOnly(first)
    ? "nothing can be made or changed"
    : "no machine can be replaced, and nothing taken away";
  return notOk(
    "locks",
    `${first.name} (${first.properties.level}) holds the stack's group: ${what}`,
    `az lock delete --ids ${word(first.id)}`,
  );
}

function isReadOnly({ properties }: Lock): boolean {
  return properties.level === "ReadOnly";
}

export const LOCKS: Check = {
  rows: ["locks"],
  async examine(facts: Facts) {
    const path = `${facts.subscription}/providers/Microsoft.Authorization/locks?api-version=${VERSION}`;
    return [locks(read(z.array(Lock), await all(path, facts.asker), "the list of locks"), facts)];
  },
};
