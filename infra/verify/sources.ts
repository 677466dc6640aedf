/**
 * Whom a verification asks: the stack, Azure, Pulumi, and this computer's own network.
 * @module
 */
import { ownAddress } from "../preflight/address.ts";
import { login } from "../preflight/login.ts";
import { stackAtAzure } from "../preflight/stack-at-azure.ts";
import { pulumi, type Surroundings } from "../recovery/pulumi.ts";
import { VAULT } from "./machine-rows.ts";
import { ask, reach } from "./outside.ts";
import { changedIn } from "./refresh.ts";
import { type Site, standing } from "./site.ts";

/**
 * Finds the stack that is to be verified.
 * @throws NoStack, NoLogin; NoAnswer where Azure is not reached
 */
export async function site(where: Surroundings, now: Date): Promise<Site> {
  const stack = await stackAtAzure(where);
  const vaultToken = async () => (await login(where.env, stack.configured, VAULT)).token;
  const changedBeside = async () => {
    const said = await pulumi({ ...where, stack: stack.chosen }, "refresh", "--preview-only", "--json");
    return changedIn(said);
  };
  return { ...stack, ...standing(stack), now, ownAddress, reach, ask, vaultToken, changedBeside };
}
