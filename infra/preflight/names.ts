/**
 * Names that are one in the world: free, the stack's own, or held by a vault that was deleted and can be brought back.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { get, question } from "../arm/client.ts";
import { word } from "../arm/word.ts";
import { type Check, type Facts, notOk, ok, type Row, stands } from "./row.ts";

/** Vaults - Check Name Availability, Get Deleted (Microsoft.KeyVault, 2024-11-01). */
const VAULT_VERSION = "2024-11-01";

/** Storage Accounts - Check Name Availability (Microsoft.Storage, 2024-01-01). */
const STORAGE_VERSION = "2024-01-01";

const Availability = z.object({ nameAvailable: z.boolean(), reason: z.string().optional() });

const Deleted = z.object({
  properties: z.object({
    location: z.string().optional(),
    scheduledPurgeDate: z.string().optional(),
    purgeProtectionEnabled: z.boolean().optional(),
  }),
});

type Deleted = z.output<typeof Deleted>;

/** Another id is another name for all three; nothing of value hangs on it while the vault is not there. */
const ANOTHER_ID = "npm run destroy";

/** Judges the vault's name. @param deleted the vault of that name that was deleted, where there is one of one's own */
export function vaultName(
  name: string,
  { nameAvailable, reason }: z.output<typeof Availability>,
  deleted: Deleted | undefined,
  location: string,
): Row {
  if (deleted !== undefined) {
    const { purgeProtectionEnabled, scheduledPurgeDate = "its purge", location: where = location } = deleted.properties;
    const held = `${name} is held by a vault of yours that was deleted, until ${scheduledPurgeDate.slice(0, 10)}`;
    if (purgeProtectionEnabled) {
      return notOk(
        "vault's name",
        `${held}, and is protected from a purge: bring it back (docs/destroy.md), or destroy what is left of the stack and let the next up choose another`,
        ANOTHER_ID,
      );
    }
    return notOk(
      "vault's name",
      `${held}. With nothing in it that you need, purge it; else docs/destroy.md, "Bring a vault back", first`,
      `az keyvault purge --name ${name} --location ${word(where)}`,
    );
  }
  if (nameAvailable) return ok("vault's name", `${name} is free`);
  return notOk(
    "vault's name",
    `${name} is taken (${reason ?? "no reason given"}): the next up after a destroy chooses another`,
    ANOTHER_ID,
  );
}

/** Judges an account's name. @param keptVault the stack's vault stands, and whoever destroyed the stack would lose it */
export function accountName(
  row: string,
  name: string,
  { nameAvailable, reason }: z.output<typeof Availability>,
  keptVault: boolean,
): Row {
  if (nameAvailable) return ok(row, `${name} is free`);
  const taken = `${name} is taken (${reason ?? "no reason given"})`;
  if (!keptVault) return notOk(row, `${taken}: the next up after a destroy chooses another`, ANOTHER_ID);
  const says = `${taken}, and the stack's vault stands: destroy nothing, docs/disaster.md has the way. Is the account one of yours, in another group?`;
  return notOk(row, says, "az storage account list --output table");
}

const CHOSEN = "the first up chooses one that nobody has: 16 random hex digits are its end";

export const VAULT_NAME: Check = {
  rows: ["vault's name"],
  async examine(facts: Facts) {
    const { subscription, asker, id, settings } = facts;
    if (id === undefined) return [ok("vault's name", CHOSEN)];
    const name = `tezos-${id}`;
    if (stands(facts, `Microsoft.KeyVault/vaults/${name}`)) return [ok("vault's name", `${name} is the stack's own`)];
    const vaults = `${subscription}/providers/Microsoft.KeyVault`;
    const body = { name, type: "Microsoft.KeyVault/vaults" };
    const [availability, deleted] = await Promise.all([
      question(`${vaults}/checkNameAvailability?api-version=${VAULT_VERSION}`, body, asker),
      get(`${vaults}/locations/${settings.location}/deletedVaults/${name}?api-version=${VAULT_VERSION}`, asker),
    ]);
    const found = deleted === undefined ? undefined : read(Deleted, deleted, "the deleted vault");
    return [
      vaultName(name, read(Availability, availability, "the answer about the vault's name"), found, settings.location),
    ];
  },
};

/** An account of the stack, by what its name begins with. */
function account(row: string, beginning: string): Check {
  return {
    rows: [row],
    async examine(facts: Facts) {
      const { subscription, asker, id } = facts;
      if (id === undefined) return [ok(row, CHOSEN)];
      const name = `${beginning}${id}`;
      if (stands(facts, `Microsoft.Storage/storageAccounts/${name}`)) return [ok(row, `${name} is the stack's own`)];
      const path = `${subscription}/providers/Microsoft.Storage/checkNameAvailability?api-version=${STORAGE_VERSION}`;
      const body = { name, type: "Microsoft.Storage/storageAccounts" };
      const keptVault = stands(facts, `Microsoft.KeyVault/vaults/tezos-${id}`);
      return [
        accountName(
          row,
          name,
          read(Availability, await question(path, body, asker), `the answer about ${name}`),
          keptVault,
        ),
      ];
    },
  };
}

export const TABLE_ACCOUNT = account("watermarks' account", "tezos");
export const RELEASE_ACCOUNT = account("releases' account", "tzrel");
