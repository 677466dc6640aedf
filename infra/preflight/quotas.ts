/**
 * What a region has of addresses, networks and accounts for this subscription, and copies in three zones.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { all } from "../arm/client.ts";
import { askForMore } from "./quota-request.ts";
import { type Check, type Facts, has, notKnown, notOk, ok, type Row, same, stands } from "./row.ts";

const Usage = z.object({ name: z.object({ value: z.string() }), currentValue: z.number(), limit: z.number() });

export type Usage = z.output<typeof Usage>;

/** Usages - List (Microsoft.Network, 2024-05-01). A newer list names IPv4's own beside the older sum. */
const NETWORK_VERSION = "2024-05-01";
const ADDRESSES = ["IPv4StandardSkuPublicIpAddresses", "StandardSkuPublicIpAddresses", "PublicIPAddresses"];

/** Usages - List By Location (Microsoft.Storage, 2024-01-01). */
const STORAGE_VERSION = "2024-01-01";
const ACCOUNTS = ["StorageAccounts"];

/** A quota that an `up` needs some of. */
interface Wanted {
  readonly name: string;
  readonly provider: string;
  /** Azure's names of it. */
  readonly kinds: readonly string[];
  /** How many more an `up` makes. */
  readonly needed: number;
}

/** Judges a quota. */
export function quota(
  { name, provider, kinds, needed }: Wanted,
  usages: readonly Usage[],
  facts: Pick<Facts, "subscription" | "settings">,
): Row {
  if (needed === 0) return ok(name, "what the stack needs stands already");
  const own = usages.filter((usage) => kinds.some((kind) => same(kind, usage.name.value)));
  const [first] = own;
  if (first === undefined) return notKnown(name, `Azure's list of quotas names none of ${kinds.join(", ")}`);
  const short = own.find(({ currentValue, limit }) => limit >= 0 && limit - currentValue < needed);
  const left = ({ currentValue, limit }: Usage) =>
    limit < 0 ? "no limit" : `${Math.max(0, limit - currentValue)} of ${limit} left`;
  if (short === undefined) return ok(name, `${needed} needed, ${left(first)}`);
  const { location } = facts.settings;
  const says = `${needed} needed, ${left(short)} in ${location} (${short.name.value}): delete one, or ask for more`;
  return notOk(
    name,
    says,
    askForMore(facts.subscription, provider, location, short.name.value, short.currentValue + needed),
  );
}

/** Makes a list of the usages. */
async function usages(path: string, what: string, { asker }: Facts): Promise<Usage[]> {
  return read(z.array(Usage), await all(path, asker), what);
}

export const ADDRESS_QUOTA: Check = {
  rows: ["addresses"],
  async examine(facts: Facts) {
    const { subscription, settings } = facts;
    const path = `${subscription}/providers/Microsoft.Network/locations/${settings.location}/usages?api-version=${NETWORK_VERSION}`;
    const names = facts.plan.resources
      .filter(({ type }) => type === "azure-native:network:PublicIPAddress")
      .map(({ inputs }) => inputs.publicIpAddressName);
    const needed = names.filter((name) => !stands(facts, `Microsoft.Network/publicIPAddresses/${name}`)).length;
    const wanted = { name: "addresses", provider: "Microsoft.Network", kinds: ADDRESSES, needed };
    return [quota(wanted, await usages(path, "the list of the network's quotas", facts), facts)];
  },
};

export const ACCOUNT_QUOTA: Check = {
  rows: ["storage accounts"],
  async examine(facts: Facts) {
    const { subscription, settings, id } = facts;
    const path = `${subscription}/providers/Microsoft.Storage/locations/${settings.location}/usages?api-version=${STORAGE_VERSION}`;
    const names = id === undefined ? [] : [`tezos${id}`, `tzrel${id}`];
    const there = names.filter((name) => stands(facts, `Microsoft.Storage/storageAccounts/${name}`)).length;
    const wanted = { name: "storage accounts", provider: "Microsoft.Storage", kinds: ACCOUNTS, needed: 2 - there };
    return [quota(wanted, await usages(path, "the list of the storage's quotas", facts), facts)];
  },
};

const Sku = z.object({
  name: z.string(),
  kind: z.string().optional(),
  locations: z.array(z.string()).default([]),
  restrictions: z
    .array(z.object({ reasonCode: z.string().optional(), values: z.array(z.string()).default([]) }))
    .default([]),
});

/** Judges the copies. The table is the watermarks', and ZRS is the one thing of the stack that is in several zones. */
export function redundancy(skus: readonly z.output<typeof Sku>[], wanted: string, location: string): Row {
  const name = `Standard_${wanted}`;
  const own = skus.filter((sku) => same(sku.name, name) && (sku.kind === undefined || sku.kind === "StorageV2"));
  const here = own.find(({ locations }) => locations.some((one) => same(one, location)));
  const mend = `pulumi config set redundancy ${wanted === "ZRS" ? "LRS" : "ZRS"}`;
  if (here === undefined) return notOk("redundancy", `${location} has no ${name}`, mend);
  const [restriction] = here.restrictions;
  if (restriction === undefined) return ok("redundancy", name);
  return notOk(
    "redundancy",
    `this subscription does not get ${name} in ${location} (${restriction.reasonCode ?? "restricted"})`,
    mend,
  );
}

export const REDUNDANCY: Check = {
  rows: ["redundancy"],
  async examine({ subscription, settings, asker }: Facts) {
    const path = `${subscription}/providers/Microsoft.Storage/skus?api-version=${STORAGE_VERSION}`;
    const skus = read(z.array(Sku), await all(path, asker), "the list of the storage's kinds");
    return [redundancy(skus, settings.redundancy, settings.location)];
  },
};

/** Judges the vaults. Azure publishes no count of them, and has no limit in its table of limits (key-vault/general/service-limits). */
export const VAULT_QUOTA: Check = {
  rows: ["vaults"],
  async examine(facts: Facts) {
    if (!has(facts, "keyvault:Vault")) return [ok("vaults", "the plan has none")];
    return [ok("vaults", "Azure limits what a vault does, and not how many there are: no quota to ask for")];
  },
};
