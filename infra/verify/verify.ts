/**
 * Tests on a stack that is up what this project assumes of Azure.
 * @module
 */
import type { Check, Row } from "../preflight/row.ts";
import { rowsOf, rowsOfAll } from "../preflight/table.ts";
import { LAST_WAIT, REFRESH, SERVICE_TAGS } from "./azure.ts";
import { MACHINE_ROWS } from "./machine-rows.ts";
import { PORTS, RELEASE_WITHOUT_TOKEN, VAULT_FROM_HERE, VAULT_WITHOUT_TOKEN } from "./outside.ts";
import type { Site } from "./site.ts";
import { NETWORK_FIREWALL, OWN_VAULT, RELEASES_ACCOUNT, WATERMARKS_ACCOUNT } from "./standing-rules.ts";
import { TABLE_ROWS } from "./table-rows.ts";
import { inThrowAwayVault } from "./vault.ts";

/** Only looks, and may be asked several at once. */
export const LOOKS: readonly Check<Site>[] = [
  PORTS,
  VAULT_FROM_HERE,
  VAULT_WITHOUT_TOKEN,
  RELEASE_WITHOUT_TOKEN,
  NETWORK_FIREWALL,
  OWN_VAULT,
  WATERMARKS_ACCOUNT,
  RELEASES_ACCOUNT,
  SERVICE_TAGS,
  LAST_WAIT,
  REFRESH,
];

/**
 * Verifies a stack. What it makes, it takes away again, also where it is ended in the middle; on a production stack it
 * makes nothing.
 * @param ended what ends it
 * @param say is told what is being done
 * @returns the rows, as far as it came
 */
export async function verify(site: Site, ended: AbortSignal, say: (what: string) => void): Promise<Row[]> {
  const asker = { ...site.asker, signal: ended };
  const seen: Site = { ...site, asker, machine: { ...site.machine, asker } };
  const onWhich = site.addresses.length > 1 ? "signer, the first of the machines" : "the machine";
  const rows: Row[] = [];
  const parts: readonly (readonly [what: string, look: () => Promise<Row[]>])[] = [
    ["from this computer", () => rowsOfAll(LOOKS, seen)],
    [`on ${onWhich}, by run command`, () => rowsOf(MACHINE_ROWS, seen)],
    ...(site.production
      ? []
      : ([
          ["the watermarks' table, with a row to throw away", () => rowsOf(TABLE_ROWS, seen)],
          ["Azure's vault, in one to throw away: some minutes", () => inThrowAwayVault(seen)],
        ] as const)),
  ];
  for (const [what, look] of parts) {
    if (ended.aborted) break;
    say(what);
    rows.push(...(await look()));
  }
  return rows;
}
