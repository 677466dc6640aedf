/** What somebody may do: a role's actions, and what it takes back of them. */
export interface Permission {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
}

/** Built-in roles, as role-definitions of Azure's documents have them. */
export const ROLES: Readonly<Record<string, Permission>> = {
  Owner: { actions: ["*"], notActions: [] },
  Contributor: {
    actions: ["*"],
    notActions: [
      "Microsoft.Authorization/*/Delete",
      "Microsoft.Authorization/*/Write",
      "Microsoft.Authorization/elevateAccess/Action",
    ],
  },
  Reader: { actions: ["*/read"], notActions: [] },
  "User Access Administrator": {
    actions: ["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
    notActions: [],
  },
  "Key Vault Contributor": {
    actions: ["Microsoft.Authorization/*/read", "Microsoft.KeyVault/*"],
    notActions: ["Microsoft.KeyVault/locations/deletedVaults/purge/action", "Microsoft.KeyVault/managedHsms/*"],
  },
};

/** Namespaces whose types Azure serves once they are registered, and their versions. */
export const NAMESPACES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "Microsoft.Compute": {
    virtualMachines: ["2025-04-01", "2024-11-01"],
    "virtualMachines/runCommands": ["2025-04-01", "2024-11-01"],
  },
  "Microsoft.Network": {
    virtualNetworks: ["2025-01-01", "2024-05-01"],
    networkSecurityGroups: ["2025-01-01", "2024-05-01"],
    publicIPAddresses: ["2025-01-01", "2024-05-01"],
    networkInterfaces: ["2025-01-01", "2024-05-01"],
  },
  "Microsoft.KeyVault": { vaults: ["2026-02-01", "2024-11-01"], "vaults/keys": ["2026-02-01", "2024-11-01"] },
  "Microsoft.Storage": { storageAccounts: ["2025-01-01", "2024-01-01"] },
  "Microsoft.ManagedIdentity": { userAssignedIdentities: ["2024-11-30", "2023-01-31"] },
  "Microsoft.Insights": {
    metricAlerts: ["2018-03-01"],
    workbooks: ["2023-06-01"],
    scheduledQueryRules: ["2025-01-01-preview"],
    actionGroups: ["2024-10-01-preview"],
    diagnosticSettings: ["2021-05-01-preview"],
  },
  "Microsoft.PolicyInsights": { checkPolicyRestrictions: ["2023-03-01"] },
  "Microsoft.OperationalInsights": { workspaces: ["2025-02-01", "2023-09-01"] },
};

/** A policy that is assigned somewhere above the stack. */
export interface Policy {
  /** Id of its assignment. */
  readonly assignment: string;
  readonly effect: string;
  /** Whether a resource breaks it. */
  readonly broken: (content: Content) => boolean;
}

/** A resource as a policy sees it. */
export interface Content {
  readonly type?: string;
  readonly location?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Something that Azure's endpoint does instead of answering. */
export interface Fault {
  readonly path: RegExp;
  /** Any, where there is none. */
  readonly method?: string;
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** It never answers. */
  readonly silent?: true;
  /** So often, and then no more; always, where it is absent. */
  times?: number;
}

interface Quota {
  used: number;
  limit: number;
}

/** What Azure says of a subscription and of whoever asks, as a test sets it. */
export class Account {
  quotaId = "PayAsYouGo_2014-09-01";
  spendingLimit = "Off";
  regions = ["northeurope", "westeurope", "eastus", "germanywestcentral"];
  permissions: Permission[] = [ROLES.Owner as Permission];
  readonly unregistered = new Set<string>();
  /** Versions that Azure serves no more, as `TYPE VERSION`. */
  readonly ended = new Set<string>();
  /** By Azure's name, in every region. */
  readonly network: Record<string, Quota> = {
    IPv4StandardSkuPublicIpAddresses: { used: 3, limit: 20 },
    StandardSkuPublicIpAddresses: { used: 3, limit: 20 },
    PublicIPAddresses: { used: 3, limit: 1000 },
    VirtualNetworks: { used: 1, limit: 1000 },
  };
  readonly storage: Record<string, Quota> = { StorageAccounts: { used: 4, limit: 250 } };
  /** Kinds of copies that the subscription does not get, and those that a region has not. */
  readonly refusedCopies = new Set<string>();
  readonly absentCopies = new Set<string>();
  policies: Policy[] = [];
  /** Receivers of test alerts so far, those that are not reached, and how often Azure is asked before it says so. */
  readonly notified: string[] = [];
  readonly unreached = new Set<string>();
  looksUntilNotified = 1;
  /** What the image is bought with. */
  imagePlan: { readonly name: string; readonly publisher: string; readonly product: string } | undefined;
  /** Vaults that were deleted and are protected from a purge. */
  readonly protectedVaults = new Set<string>();
  serviceTags = ["AzureCloud", "AzureKeyVault", "Storage", "Sql"];
  readonly faults: Fault[] = [];
  /** How many entries of a list come at once. */
  pageSize = Infinity;
}
