/**
 * Holds what a signer is to become to what stands of it, before anything is registered: `pulumi preview` and `pulumi up`.
 * @module
 */
import { getClientConfig, getManagementLockByScope } from "@pulumi/azure-native/authorization/index.js";
import * as pulumi from "@pulumi/pulumi";
import { forgotten, refusals, type Wanted } from "./refusals.ts";
import { type StandingResource, standingResources } from "./stack-state.ts";
import { type StandingLock, standingSigner } from "./standing-signer.ts";

/**
 * Compares a signer with what stands of it, and asks Azure which subscription is selected and whether its locks are there.
 * Warns of a lock that somebody took away: Pulumi, which remembers it, would not put it back.
 * @param named gives the name in the program of a part
 * @param signer the component, whose provider is asked
 * @returns a sentence for each thing that cannot be; none where nothing stands
 * @throws Error where Pulumi or Azure do not tell
 */
export async function standsInTheWay(
  wanted: Wanted,
  named: (part: string) => string,
  signer: pulumi.Resource,
): Promise<string[]> {
  const standing = standingSigner(await remembered(), named);
  const gone = forgotten(standing);
  if (gone.length > 0 || standing.subscription === undefined) return gone;
  const locks = [standing.vaultLock, standing.accountLock].filter((lock) => lock !== undefined);
  const [{ subscriptionId, tenantId }, ...held] = await Promise.all([
    getClientConfig({ parent: signer }).catch((error: Error) => {
      throw new Error(`Azure does not tell which subscription is selected, so nothing was done: ${error.message}`);
    }),
    ...locks.map((lock) => isInForce(lock, signer)),
  ]);
  const selected = {
    subscription: subscriptionId,
    tenant: tenantId,
    isVaultLocked: held[locks.indexOf(standing.vaultLock as StandingLock)] ?? false,
  };
  const refused = refusals(standing, wanted, selected);
  const missing = wanted.production && refused.length === 0 ? locks.filter((_, index) => !held[index]) : [];
  for (const lock of missing) await pulumi.log.warn(withoutLock(lock));
  return refused;
}

async function remembered(): Promise<StandingResource[]> {
  try {
    return await standingResources();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Pulumi does not tell what the stack holds, so nothing was done: ${why}`);
  }
}

/** Asks Azure for a lock. Where it does not answer, the lock counts as being there. */
async function isInForce({ scope, lockName }: StandingLock, parent: pulumi.Resource): Promise<boolean> {
  try {
    await getManagementLockByScope({ scope, lockName }, { parent });
    return true;
  } catch (error) {
    return !/NotFound|\b404\b/.test(String(error));
  }
}

function withoutLock({ lockName, scope, urn }: StandingLock): string {
  return (
    `${scope.split("/").at(-1)} has lost its lock ${lockName}: anybody with rights may delete it. Put it back: ` +
    `pulumi state delete --force '${urn}', then npm run up`
  );
}
