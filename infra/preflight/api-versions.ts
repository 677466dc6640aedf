/**
 * The API versions that the provider of Pulumi uses for what the stack has, and when they end where Azure has said so.
 * test/infra/preflight/providers.test.ts holds them to azure-native's own declarations.
 * @module
 */

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

export const API_VERSIONS: readonly ApiVersion[] = [
  { type: "Microsoft.KeyVault/vaults", version: "2024-11-01", ends: VAULTS_END, pulumi: ["keyvault:Vault"] },
  { type: "Microsoft.KeyVault/vaults/keys", version: "2024-11-01", ends: VAULTS_END, pulumi: ["keyvault:Key"] },
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
