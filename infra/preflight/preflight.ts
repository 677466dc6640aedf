/**
 * Looks, before anything is made, at all that an `up` needs of Azure. It only reads.
 * @module
 */
import type { Surroundings } from "../recovery/pulumi.ts";
import { ownAddress } from "./address.ts";
import type { Facts, Row } from "./row.ts";
import { stackAtAzure } from "./stack-at-azure.ts";
import { examine } from "./table.ts";

/** What a preflight has found. */
export interface Preflight {
  readonly stack: string;
  readonly subscription: string;
  readonly rows: readonly Row[];
}

/**
 * Looks at a stack.
 * @param where the project's folder, the environment, and the stack where one is named
 * @throws NoStack, NoLogin; NoAnswer where Azure is not reached
 */
export async function preflight(where: Surroundings, now: Date): Promise<Preflight> {
  const { stack, settings, subscription, asker, objectId, group, standing, id } = await stackAtAzure(where);
  // Pulumi takes seconds to load, for which nobody waits who is not logged in.
  const { draw } = await import("../plan/draw.ts");
  const plan = await draw(settings);
  const facts: Facts = { settings, plan, subscription, asker, objectId, group, standing, id, now, ownAddress };
  return { stack, subscription: subscription.split("/")[2] ?? "", rows: await examine(facts) };
}
