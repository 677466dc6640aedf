/**
 * The firewalls, policies and accounts of the stack, as Azure has them: as planned, or changed beside Pulumi.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { get } from "../arm/client.ts";
import { firewallRules, type Rule } from "../firewall.ts";
import { type Check, notOk, ok, type Row } from "../preflight/row.ts";
import type { Site } from "./site.ts";
import { PUT_BACK } from "./verdicts.ts";

const Nsg = z.object({
  properties: z.object({
    securityRules: z.array(
      z.object({
        name: z.string(),
        properties: z.object({
          direction: z.string(),
          priority: z.number(),
          access: z.string(),
          protocol: z.string(),
          sourceAddressPrefix: z.string().nullish(),
          sourceAddressPrefixes: z.array(z.string()).nullish(),
          destinationAddressPrefix: z.string().nullish(),
          destinationAddressPrefixes: z.array(z.string()).nullish(),
          destinationPortRange: z.string().nullish(),
          destinationPortRanges: z.array(z.string()).nullish(),
        }),
      }),
    ),
  }),
});

/** A rule as Azure writes it, or this project: a list of one may be a text. */
interface AnyRule {
  readonly direction: string;
  readonly priority: number;
  readonly access: string;
  readonly protocol: string;
  readonly sourceAddressPrefix?: string | null | undefined;
  readonly sourceAddressPrefixes?: readonly string[] | null | undefined;
  readonly destinationAddressPrefix?: string | null | undefined;
  readonly destinationAddressPrefixes?: readonly string[] | null | undefined;
  readonly destinationPortRange?: string | null | undefined;
  readonly destinationPortRanges?: readonly string[] | null | undefined;
}

/** A rule in one line, whoever wrote it. */
function line(name: string, rule: AnyRule): string {
  const all = (one: string | null | undefined, more: readonly string[] | null | undefined) =>
    [...(one ? [one] : []), ...(more ?? [])].map((text) => text.replace(/\/32$/, "")).sort();
  const from = all(rule.sourceAddressPrefix, rule.sourceAddressPrefixes);
  const to = all(rule.destinationAddressPrefix, rule.destinationAddressPrefixes);
  const ports = all(rule.destinationPortRange, rule.destinationPortRanges);
  return JSON.stringify([
    name,
    rule.direction,
    rule.priority,
    rule.access,
    rule.protocol,
    from,
    to,
    ports,
  ]).toLowerCase();
}

/** Judges the network's firewall by the configuration. */
export function networkFirewall(found: z.output<typeof Nsg>, planned: readonly Rule[]): Row {
  const name = "network's firewall";
  const wanted = new Map(planned.map(({ name, ...rule }) => [line(name, rule), name]));
  const own = new Map(found.properties.securityRules.map(({ name, properties }) => [line(name, properties), name]));
  const lacking = [...wanted].flatMap(([line, name]) => (own.has(line) ? [] : [name]));
  const others = [...own].flatMap(([line, name]) => (wanted.has(line) ? [] : [name]));
  const differing = [...new Set([...lacking, ...others])];
  if (differing.length === 0) return ok(name, `its ${planned.length} rules are those of the plan`);
  return notOk(name, `not as planned: ${differing.join(", ")}`, PUT_BACK);
}

export const NETWORK_FIREWALL: Check<Site> = {
  rows: ["network's firewall"],
  async examine({ home, asker, settings }) {
    const path = `${home}/providers/Microsoft.Network/networkSecurityGroups/signer-firewall?api-version=2024-05-01`;
    return [networkFirewall(read(Nsg, await get(path, asker), "the network's firewall"), firewallRules(settings))];
  },
};

export const Vault = z.object({
  location: z.string(),
  properties: z.object({
    tenantId: z.string(),
    enableRbacAuthorization: z.boolean().nullish(),
    enablePurgeProtection: z.boolean().nullish(),
    publicNetworkAccess: z.string().nullish(),
    accessPolicies: z.array(
      z.object({
        objectId: z.string(),
        permissions: z.object({
          keys: z.array(z.string()).nullish(),
          secrets: z.array(z.string()).nullish(),
          certificates: z.array(z.string()).nullish(),
          storage: z.array(z.string()).nullish(),
        }),
      }),
    ),
    networkAcls: z
      .object({
        bypass: z.string(),
        defaultAction: z.string(),
        ipRules: z.array(z.object({ value: z.string() })),
        virtualNetworkRules: z.array(z.object({ id: z.string() })),
      })
      .nullish(),
  }),
});

export type Vault = z.output<typeof Vault>;

/** Vaults - Get (Microsoft.KeyVault, 2024-11-01). */
export const VAULTS = "api-version=2024-11-01";

/** Asks for a vault. @throws Error where there is none */
export async function vaultAt(path: string, asker: Site["asker"]): Promise<Vault> {
  return read(Vault, await get(`${path}?${VAULTS}`, asker), "the vault");
}

/** Judges the vault's firewall. */
export function vaultFirewall({ properties }: Vault, site: Pick<Site, "addresses" | "settings">): Row {
  const name = "vault's firewall";
  const { networkAcls: acls, publicNetworkAccess } = properties;
  const addresses = (acls?.ipRules ?? []).map(({ value }) => value.replace(/\/32$/, "")).sort();
  const wanted = [
    ...site.addresses,
    ...(site.settings.keyImporter === undefined ? [] : [site.settings.keyImporter.ip]),
  ].sort();
  const wrong = [
    acls?.defaultAction === "Deny" ? [] : "it lets everybody in",
    acls?.bypass === "None" ? [] : "it lets Azure's services in",
    acls?.virtualNetworkRules.length === 1
      ? []
      : `${acls?.virtualNetworkRules.length ?? 0} subnets are let in, and not one`,
    addresses.join() === wanted.join() ? [] : "the addresses that are let in are not those of the configuration",
    publicNetworkAccess === "Disabled" ? "it is closed to the machine as well" : [],
  ].flat();
  if (wrong.length > 0) return notOk(name, wrong.join("; "), PUT_BACK);
  return ok(name, "it denies all but one subnet and the addresses of the configuration");
}

/** Judges who may do what with keys. The first policy is the machine's. */
export function vaultPolicies({ properties }: Vault, { settings }: Pick<Site, "settings">): Row {
  const name = "vault's policies";
  const { accessPolicies: policies, enableRbacAuthorization } = properties;
  const rights = policies.map(({ permissions: { keys } }) =>
    (keys ?? [])
      .map((right) => right.toLowerCase())
      .sort()
      .join(" "),
  );
  const others = policies.some(({ permissions: { secrets, certificates, storage } }) =>
    [secrets, certificates, storage].some((list) => (list ?? []).length > 0),
  );
  const wanted = ["get list sign", ...(settings.keyImporter === undefined ? [] : ["create get import list update"])];
  const wrong = [
    enableRbacAuthorization === true ? "roles decide, and not its policies" : [],
    rights.toSorted().join("; ") === wanted.toSorted().join("; ")
      ? []
      : `its policies give ${rights.map((each) => `(${each})`).join(" ") || "nobody anything"}`,
    others ? "they give more than keys" : [],
  ].flat();
  if (wrong.length > 0) return notOk(name, wrong.join("; "), PUT_BACK);
  return ok(
    name,
    wanted.length === 1
      ? "the machine lists, reads and signs, and nobody else anything"
      : "as planned, the key importer's among them",
  );
}

export const OWN_VAULT: Check<Site> = {
  rows: ["vault's firewall", "vault's policies"],
  async examine(site) {
    const found = await vaultAt(`${site.home}/providers/Microsoft.KeyVault/vaults/tezos-${site.id}`, site.asker);
    return [vaultFirewall(found, site), vaultPolicies(found, site)];
  },
};

const Account = z.object({
  properties: z.object({
    allowSharedKeyAccess: z.boolean().nullish(),
    allowBlobPublicAccess: z.boolean().nullish(),
    supportsHttpsTrafficOnly: z.boolean().nullish(),
    networkAcls: z
      .object({
        defaultAction: z.string(),
        bypass: z.string().nullish(),
        virtualNetworkRules: z.array(z.unknown()).nullish(),
        ipRules: z.array(z.unknown()).nullish(),
      })
      .nullish(),
  }),
});

/** Judges the watermarks' account. */
export function watermarksAccount({ properties }: z.output<typeof Account>): Row {
  const name = "watermarks' account";
  const { allowSharedKeyAccess, supportsHttpsTrafficOnly, networkAcls } = properties;
  const wrong = [
    allowSharedKeyAccess === false ? [] : "it takes shared keys",
    networkAcls?.defaultAction === "Deny" ? [] : "it lets everybody in",
    networkAcls?.virtualNetworkRules?.length === 1 && (networkAcls.ipRules ?? []).length === 0
      ? []
      : "others than one subnet are let in",
    supportsHttpsTrafficOnly === false ? "it takes plain HTTP" : [],
  ].flat();
  if (wrong.length > 0) return notOk(name, wrong.join("; "), PUT_BACK);
  return ok(name, "no shared keys, and nobody but one subnet");
}

/** Judges the releases' account, which answers everybody who has a key or a token. */
export function releasesAccount({ properties }: z.output<typeof Account>): Row {
  const name = "releases' account";
  const { allowSharedKeyAccess, allowBlobPublicAccess, networkAcls } = properties;
  const wrong = [
    allowBlobPublicAccess === false ? [] : "blobs of it may be public",
    allowSharedKeyAccess === false ? "it takes no shared keys, by which Pulumi uploads" : [],
    (networkAcls?.defaultAction ?? "Allow") === "Allow" ? [] : "it does not let this computer in, which uploads",
  ].flat();
  if (wrong.length > 0) return notOk(name, wrong.join("; "), PUT_BACK);
  return ok(name, "nothing of it is public, and Pulumi can upload");
}

function account(row: string, beginning: string, judge: (account: z.output<typeof Account>) => Row): Check<Site> {
  return {
    rows: [row],
    async examine({ home, id, asker }) {
      const path = `${home}/providers/Microsoft.Storage/storageAccounts/${beginning}${id}?api-version=2024-01-01`;
      return [judge(read(Account, await get(path, asker), row))];
    },
  };
}

export const WATERMARKS_ACCOUNT = account("watermarks' account", "tezos", watermarksAccount);
export const RELEASES_ACCOUNT = account("releases' account", "tzrel", releasesAccount);
