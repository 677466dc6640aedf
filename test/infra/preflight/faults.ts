import { type Content, ROLES } from "../../emulators/azure-resource-manager/account.ts";
import { EVERYTHING } from "../../fixtures/stack-configs.ts";
import type { World } from "./world.ts";

const { authorizedKeys, keys, keyImporter } = EVERYTHING;
const KEYS = { keys };
const MONITORED = { monitoring: "true" };
const PRODUCTION = { production: "true", authorizedKeys };
const IMPORTED = { keyImporter };
export const ID = "0123456789abcdef";

/** Something in the way of an `up`. */
export interface Fault {
  /** The row that finds it. */
  readonly row: string;
  readonly config?: Readonly<Record<string, string>>;
  /** A text of the row. */
  readonly says: string;
  readonly breaks: (world: World) => void;
  /** Rows that are not ok, or not known, for the same reason. */
  readonly beside?: readonly string[];
}

function unregistered(name: string, config = {}): Fault {
  const breaks = ({ cloud }: World) => void cloud.account.unregistered.add(`Microsoft.${name}`);
  return { row: `provider ${name}`, says: `Microsoft.${name} is NotRegistered`, config, breaks };
}

/** A policy that denies resources of a type for what they hold. */
function denies(row: string, type: string, broken: (content: Content) => boolean, beside: string[] = []): Fault {
  return {
    row,
    beside,
    says: "the policy no-such would deny it",
    breaks: ({ cloud }) => {
      const assignment = `/providers/Microsoft.Management/managementGroups/all/providers/Microsoft.Authorization/policyAssignments/no-such`;
      const isOfType = (content: Content) => content.type === type && broken(content);
      cloud.account.policies.push({ assignment, effect: "Deny", broken: isOfType });
    },
  };
}

function roles(...names: string[]): (world: World) => void {
  return ({ cloud }) => {
    cloud.account.permissions = names.flatMap((name) => ROLES[name] ?? []);
  };
}

function lock(scope: (world: World) => string, level: "CanNotDelete" | "ReadOnly"): (world: World) => void {
  return (world) => void world.cloud.locks.byHand(world.cloud, scope(world), level, "theirs");
}

const at = (value: unknown, name: string) => (value as Readonly<Record<string, unknown>> | undefined)?.[name];

/** By what is wrong. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "a subscription that is disabled": {
    row: "subscription",
    says: "baking is Disabled",
    breaks: ({ cloud }) => {
      cloud.state = "Disabled";
    },
  },
  "a subscription that is deleted": {
    row: "subscription",
    says: "baking is Deleted",
    breaks: ({ cloud }) => {
      cloud.state = "Deleted";
    },
  },
  "a production stack on credit that ends": {
    row: "offer",
    config: PRODUCTION,
    says: "FreeTrial_2014-09-01 has a spending limit",
    breaks: ({ cloud }) => Object.assign(cloud.account, { quotaId: "FreeTrial_2014-09-01", spendingLimit: "On" }),
  },
  "a region that the subscription has not": {
    row: "region",
    config: { location: "swedencentral" },
    says: "no region swedencentral",
    breaks: () => undefined,
    beside: ["redundancy"],
  },
  "somebody who may only read": {
    row: "rights to make",
    says: "actions are not allowed (Microsoft.Resources/subscriptions/resourceGroups/write",
    breaks: roles("Reader", "User Access Administrator"),
  },
  "somebody who may make no machine": {
    row: "rights to make",
    says: "actions are not allowed (Microsoft.Compute/virtualMachines/write)",
    breaks: ({ cloud }) => {
      cloud.account.permissions = [{ actions: ["*"], notActions: ["microsoft.compute/VIRTUALMACHINES/write"] }];
    },
  },
  "somebody who may not take the key with which the release is uploaded": {
    row: "rights to make",
    says: "Microsoft.Storage/storageAccounts/listKeys/action",
    breaks: ({ cloud }) => {
      cloud.account.permissions = [{ actions: ["*"], notActions: ["Microsoft.Storage/*/listKeys/action"] }];
    },
  },
  "somebody who may make vaults, and no key in them": {
    row: "rights to make keys",
    config: KEYS,
    says: "Microsoft.KeyVault/vaults/keys/write",
    breaks: ({ cloud }) => {
      cloud.account.permissions = [{ actions: ["*"], notActions: ["Microsoft.KeyVault/vaults/keys/write"] }];
    },
  },
  "a contributor, who gives no roles": {
    row: "rights to give roles",
    says: "Microsoft.Authorization/roleAssignments/write",
    breaks: roles("Contributor"),
  },
  "a contributor, who sets no locks": {
    row: "rights to give roles",
    config: PRODUCTION,
    says: "2 of 4 actions are not allowed (Microsoft.Authorization/roleAssignments/write, Microsoft.Authorization/locks/write)",
    breaks: roles("Contributor"),
  },
  "machines that nobody has registered": unregistered("Compute"),
  "networks that nobody has registered": unregistered("Network"),
  "vaults that nobody has registered": unregistered("KeyVault"),
  "accounts that nobody has registered": unregistered("Storage"),
  "identities that nobody has registered": unregistered("ManagedIdentity"),
  "alerts that nobody has registered": unregistered("Insights", MONITORED),
  "logs that nobody has registered": unregistered("OperationalInsights", MONITORED),
  "an API version that Azure serves no more": {
    row: "API versions",
    says: "Azure has ended Microsoft.KeyVault/vaults 2024-11-01",
    breaks: ({ cloud }) => void cloud.account.ended.add("Microsoft.KeyVault/vaults 2024-11-01"),
  },
  "a size that the region has not": {
    row: "size",
    says: "there is no size Standard_B1s in northeurope",
    beside: ["cores"],
    breaks: ({ cloud }) => void cloud.offer.absent.add("Standard_B1s"),
  },
  "a size that this subscription does not get": {
    row: "size",
    says: "does not get Standard_B1s in northeurope (NotAvailableForSubscription)",
    breaks: ({ cloud }) => void cloud.refusedSizes.add("Standard_B1s"),
  },
  "no cores of the size's family": {
    row: "cores",
    says: "the quota of standardBSFamily leaves 0 of 0",
    breaks: ({ cloud }) => {
      cloud.offer.limits.standardBSFamily = 0;
    },
  },
  "no cores in the region": {
    row: "cores",
    says: "the quota of the region leaves 0 of 0",
    breaks: ({ cloud }) => {
      cloud.offer.limits.cores = 0;
    },
  },
  "an image that there is not": {
    row: "image",
    config: { image: "Canonical:ubuntu-24_04-lts:servers:latest" },
    says: "there is no image Canonical:ubuntu-24_04-lts:servers:latest",
    beside: ["image's terms"],
    breaks: () => undefined,
  },
  "an image of another generation": {
    row: "image",
    config: { image: "Canonical:ubuntu-odd:one:latest" },
    says: "Trusted Launch needs V2",
    breaks: () => undefined,
  },
  "an image that is bought": {
    row: "image's terms",
    config: { image: "Canonical:ubuntu-24_04-lts:minimal:latest" },
    says: "the image is ubuntu-pro, which is bought with a plan",
    breaks: (world) => {
      const { account } = world.cloud;
      const isMinimal = () => (world.config.image ?? "").includes(":minimal:");
      const imagePlan = { name: "pro", publisher: "canonical", product: "ubuntu-pro" };
      Object.defineProperty(account, "imagePlan", { get: () => (isMinimal() ? imagePlan : undefined) });
    },
  },
  "no address left": {
    row: "addresses",
    says: "1 needed, 0 of 3 left in northeurope (IPv4StandardSkuPublicIpAddresses)",
    breaks: ({ cloud }) => {
      cloud.account.network.IPv4StandardSkuPublicIpAddresses = { used: 3, limit: 3 };
    },
  },
  "one account left of two": {
    row: "storage accounts",
    says: "2 needed, 1 of 250 left",
    breaks: ({ cloud }) => {
      cloud.account.storage.StorageAccounts = { used: 249, limit: 250 };
    },
  },
  "three zones in a region that has not three": {
    row: "redundancy",
    config: { redundancy: "ZRS" },
    says: "northeurope has no Standard_ZRS",
    breaks: ({ cloud }) => void cloud.account.absentCopies.add("Standard_ZRS"),
  },
  "three zones that this subscription does not get": {
    row: "redundancy",
    config: { redundancy: "ZRS" },
    says: "does not get Standard_ZRS in northeurope (NotAvailableForSubscription)",
    breaks: ({ cloud }) => void cloud.account.refusedCopies.add("Standard_ZRS"),
  },
  "a vault's name that somebody else has": {
    row: "vault's name",
    says: `tezos-${ID} is taken (AlreadyExists)`,
    breaks: ({ cloud }) => void cloud.taken.add(`tezos-${ID}`),
  },
  "a vault's name that a deleted vault of one's own holds": {
    row: "vault's name",
    says: "is held by a vault of yours that was deleted, until 2027-02-18",
    breaks: ({ cloud }) => void cloud.softDeleted.set(`tezos-${ID}`, [{ id: "x", type: "x", inputs: {}, outputs: {} }]),
  },
  "a vault's name that a deleted vault holds which cannot be purged": {
    row: "vault's name",
    says: "and is protected from a purge",
    breaks: ({ cloud }) => {
      cloud.softDeleted.set(`tezos-${ID}`, [{ id: "x", type: "x", inputs: {}, outputs: {} }]);
      cloud.account.protectedVaults.add(`tezos-${ID}`);
    },
  },
  "the watermarks' account's name taken": {
    row: "watermarks' account",
    says: `tezos${ID} is taken`,
    breaks: ({ cloud }) => void cloud.taken.add(`tezos${ID}`),
  },
  "the releases' account's name taken": {
    row: "releases' account",
    says: `tzrel${ID} is taken`,
    breaks: ({ cloud }) => void cloud.taken.add(`tzrel${ID}`),
  },
  "a policy against shared keys": denies(
    "policy of the releases' account",
    "Microsoft.Storage/storageAccounts",
    ({ properties }) => at(properties, "allowSharedKeyAccess") !== false,
  ),
  "a policy against accounts that answer every network": denies(
    "policy of the releases' account",
    "Microsoft.Storage/storageAccounts",
    ({ properties }) => at(at(properties, "networkAcls"), "defaultAction") !== "Deny",
  ),
  "a policy against accounts that anybody reaches at all": denies(
    "policy of the watermarks' account",
    "Microsoft.Storage/storageAccounts",
    ({ properties }) => at(properties, "publicNetworkAccess") !== "Disabled",
    ["policy of the releases' account"],
  ),
  "a policy against public addresses": denies(
    "policy of the address",
    "Microsoft.Network/publicIPAddresses",
    () => true,
  ),
  "a policy against interfaces with a public address": denies(
    "policy of the network interface",
    "Microsoft.Network/networkInterfaces",
    ({ properties }) => {
      const configurations = at(properties, "ipConfigurations") as { properties?: object }[] | undefined;
      return configurations?.some(({ properties }) => at(properties, "publicIPAddress") !== undefined) ?? false;
    },
  ),
  "a policy against vaults with access policies": denies(
    "policy of the vault",
    "Microsoft.KeyVault/vaults",
    ({ properties }) => at(properties, "enableRbacAuthorization") !== true,
  ),
  "a policy against small machines": denies(
    "policy of the machine",
    "Microsoft.Compute/virtualMachines",
    ({ properties }) => at(at(properties, "hardwareProfile"), "vmSize") === "Standard_B1s",
  ),
  "a lock that lets nothing be written, on the subscription": {
    row: "locks",
    says: "theirs (ReadOnly) holds the stack's group: nothing can be made",
    breaks: lock(({ cloud }) => cloud.subscription, "ReadOnly"),
  },
  "a lock against deletion, on the group": {
    row: "locks",
    says: "theirs (CanNotDelete) holds the stack's group: no machine can be replaced",
    breaks: lock(({ cloud }) => `${cloud.subscription}/resourceGroups/tezos-signer-dev`, "CanNotDelete"),
  },
  "a computer that is not the one that imports keys": {
    row: "own address",
    config: IMPORTED,
    says: "lets 84.20.19.2 in to import keys, and this computer is 198.51.100.9",
    breaks: () => undefined,
  },
  "a computer that may not log in": {
    row: "own address",
    config: { adminIp: "84.20.19.1, 84.20.20.0/28" },
    says: "lets 84.20.19.1, 84.20.20.0/28 log in",
    breaks: () => undefined,
  },
};
