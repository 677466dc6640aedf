/**
 * The API versions that the provider of Pulumi uses for what the stack has, and when they end where Azure has said so.
 * test/infra/preflight/providers.test.ts holds them to azure-native's own declarations. Pure.
 * @module
 */
import { VAULT_API, type VaultApi } from "./vault-api.ts";

export interface ApiVersion {
  /** Azure's name of the type. */
  readonly type: string;
  readonly version: string;
  /** The day from which Azure refuses it; undefined where none is known. */
  readonly ends?: string;
  /** Pulumi's types that use it. */
  readonly pulumi: readonly string[];
}

/** Every control-plane version of Key Vault before 2026-02-01 ends on that day (key-vault/general/migrate-api-version). */
const VAULTS_END = "2027-02-27";

function ofVaults(type: string, pulumi: string, version: VaultApi): ApiVersion {
  return { type, version, pulumi: [pulumi], ...(version < "2026-02-01" ? { ends: VAULTS_END } : {}) };
}

export const API_VERSIONS: readonly ApiVersion[] = [
  ofVaults("Microsoft.KeyVault/vaults", "keyvault:Vault", VAULT_API),
  ofVaults("Microsoft.KeyVault/vaults/keys", "keyvault:Key", VAULT_API),
  { type: "Microsoft.Storage/storageAccounts", version: "2024-01-01", pulumi: ["storage:StorageAccount"] },
  { type: "Microsoft.Compute/virtualMachines", version: "2024-11-01", pulumi: ["compute:VirtualMachine"] },
  {
    type: "Microsoft.Compute/virtualMachines/runCommands",
    version: "2024-11-01",
    pulumi: ["compute:VirtualMachineRunCommandByVirtualMachine"],
  },
  { type: "Microsoft.Network/virtualNetworks", version: "2024-05-01", pulumi: ["network:VirtualNetwork"] },
  { type: "Microsoft.Network/networkSecurityGroups", version: "2024-05-01", pulumi: ["network:NetworkSecurityGroup"] },
  { type: "Microsoft.Network/publicIPAddresses", version: "2024-05-01", pulumi: ["network:PublicIPAddress"] },
  { type: "Microsoft.Network/networkInterfaces", version: "2024-05-01", pulumi: ["network:NetworkInterface"] },
  { type: "Microsoft.Network/loadBalancers", version: "2024-05-01", pulumi: ["network:LoadBalancer"] },
  {
    type: "Microsoft.ManagedIdentity/userAssignedIdentities",
    version: "2023-01-31",
    pulumi: ["managedidentity:UserAssignedIdentity"],
  },
  { type: "Microsoft.Resources/resourceGroups", version: "2024-03-01", pulumi: ["resources:ResourceGroup"] },
  { type: "Microsoft.Authorization/roleAssignments", version: "2022-04-01", pulumi: ["authorization:RoleAssignment"] },
  { type: "Microsoft.Authorization/locks", version: "2020-05-01", pulumi: ["authorization:ManagementLockByScope"] },
  {
    type: "Microsoft.OperationalInsights/workspaces",
    version: "2023-09-01",
    pulumi: ["operationalinsights:Workspace"],
  },
  {
    type: "Microsoft.Insights/diagnosticSettings",
    version: "2021-05-01-preview",
    pulumi: ["monitor:DiagnosticSetting"],
  },
  { type: "Microsoft.Insights/actionGroups", version: "2024-10-01-preview", pulumi: ["monitor:ActionGroup"] },
  { type: "Microsoft.Insights/metricAlerts", version: "2018-03-01", pulumi: ["monitor:MetricAlert"] },
  { type: "Microsoft.Insights/workbooks", version: "2023-06-01", pulumi: ["applicationinsights:Workbook"] },
  {
    type: "Microsoft.Insights/scheduledQueryRules",
    version: "2025-01-01-preview",
    pulumi: ["monitor:ScheduledQueryRule"],
  },
];

const DAY = 86_400_000;

/** From this long before its end, the end of a version is told. */
const AHEAD = 180 * DAY;

/** Returns which versions end soon, or have ended, as texts: `TYPE VERSION ends on DAY, in N days`. */
export function endingSoon(used: readonly ApiVersion[], now: number): string[] {
  return used.flatMap(({ type, version, ends }) => {
    const left = ends === undefined ? Infinity : Date.parse(ends) - now;
    if (left > AHEAD) return [];
    return [
      `${type} ${version} ${left > 0 ? `ends on ${ends}, in ${Math.ceil(left / DAY)} days` : `has ended on ${ends}`}`,
    ];
  });
}

/** Returns the same of everything that a stack can have, as one warning for `plan`, `preview` and `up`. */
export function apiWarnings(now = Date.now()): string[] {
  const ending = endingSoon(API_VERSIONS, now);
  if (ending.length === 0) return [];
  return [
    `${ending.join("; ")}: until then a newer version of this project is needed, or docs/change.md, "The vault's API". Keys and signing do not depend on it`,
  ];
}
