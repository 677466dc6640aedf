/**
 * Everything that is looked at, in the order in which it is told; docs/reference/preflight.md has the same rows.
 * @module
 */
import { ArmRefusal } from "../arm/client.ts";
import { ADDRESS } from "./address.ts";
import { LOCKS } from "./locks.ts";
import { MACHINES, TERMS } from "./machine.ts";
import { RELEASE_ACCOUNT, TABLE_ACCOUNT, VAULT_NAME } from "./names.ts";
import { POLICIES } from "./policies.ts";
import { PROVIDERS } from "./providers.ts";
import { ACCOUNT_QUOTA, ADDRESS_QUOTA, REDUNDANCY, VAULT_QUOTA } from "./quotas.ts";
import { RIGHTS } from "./rights.ts";
import { type Check, type Facts, notKnown, type Row } from "./row.ts";
import { REGION, SUBSCRIPTION } from "./subscription.ts";

export const CHECKS: readonly Check[] = [
  SUBSCRIPTION,
  REGION,
  RIGHTS,
  PROVIDERS,
  MACHINES,
  TERMS,
  ADDRESS_QUOTA,
  ACCOUNT_QUOTA,
  VAULT_QUOTA,
  REDUNDANCY,
  VAULT_NAME,
  TABLE_ACCOUNT,
  RELEASE_ACCOUNT,
  ...POLICIES,
  LOCKS,
  ADDRESS,
];

/** Looks at everything, a few things at once. @returns a row for each, whatever Azure answers */
export function examine(facts: Facts): Promise<Row[]> {
  return rowsOfAll(CHECKS, facts);
}

/** Makes several checks, a few at once. @returns a row for each thing, whatever Azure answers */
export async function rowsOfAll<Seen>(checks: readonly Check<Seen>[], seen: Seen): Promise<Row[]> {
  const rows: Row[][] = [];
  for (let at = 0; at < checks.length; at += 6) {
    rows.push(...(await Promise.all(checks.slice(at, at + 6).map((check) => rowsOf(check, seen)))));
  }
  return rows.flat();
}

/** Makes a check. @returns a row for each thing that it looks at, whatever Azure answers */
export async function rowsOf<Seen>({ rows, examine }: Check<Seen>, facts: Seen): Promise<Row[]> {
  try {
    return await examine(facts);
  } catch (error) {
    return rows.map((name) => notKnown(name, why(error as Error)));
  }
}

/** Why something is not known. What a program's own mistake says is nobody's business here, but that it is one. */
function why(error: Error): string {
  if (!(error instanceof ArmRefusal)) return error.message;
  if (error.status === 403) return `this login may not ask (${error.message})`;
  if (error.status === 429) return `Azure is asked too often now, try again in a minute (${error.message})`;
  return `Azure does not say (${error.message})`;
}
