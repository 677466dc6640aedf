/**
 * Locks that somebody has set, other than the stack's own.
 * @module
 */
import { z } from "zod";
import { read } from "./answer.ts";
import { type Asker, all } from "./client.ts";
import { word } from "./word.ts";

/** Management Locks - List At Subscription Level (Microsoft.Authorization, 2020-05-01): those of all below it too. */
const VERSION = "2020-05-01";

const Lock = z.object({ id: z.string(), name: z.string(), properties: z.object({ level: z.string() }) });

export type Lock = z.output<typeof Lock>;

/** These keep keys and watermarks, which nothing but a destroy deletes, and that lifts them first. */
const OWN = new Set(["keeps-the-keys", "keeps-the-watermarks"]);

/**
 * Asks Azure for the locks of others that hold a group: its subscription's, its own, and those of what is in it. The ones
 * for reading alone come first.
 * @param group id of the group, as in `/subscriptions/GUID/resourceGroups/NAME`
 * @throws Error where Azure does not tell
 */
export async function locksOn(group: string, asker: Asker): Promise<Lock[]> {
  const [, , subscription] = group.split("/");
  const path = `/subscriptions/${subscription}/providers/Microsoft.Authorization/locks?api-version=${VERSION}`;
  const found = read(z.array(Lock), await all(path, asker), "the list of locks");
  const home = group.toLowerCase();
  const holds = found.filter(({ id, name }) => {
    const scope = id.toLowerCase().split("/providers/microsoft.authorization/locks/")[0] ?? "";
    if (OWN.has(name)) return false;
    return `${home}/`.startsWith(`${scope}/`) || `${scope}/`.startsWith(`${home}/`);
  });
  return [...holds.filter(isReadOnly), ...holds.filter((lock) => !isReadOnly(lock))];
}

/** Says what a lock is and what it refuses. */
export function lockSaid(lock: Lock): string {
  const what = isReadOnly(lock)
    ? "nothing can be made or changed"
    : "no machine can be replaced, and nothing taken away";
  return `${lock.name} (${lock.properties.level}) holds the stack's group: ${what}`;
}

/** Returns the command that takes a lock away. */
export function lift({ id }: Lock): string {
  return `az lock delete --ids ${word(id)}`;
}

function isReadOnly({ properties }: Lock): boolean {
  return properties.level === "ReadOnly";
}
