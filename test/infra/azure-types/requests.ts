/**
 * What azure-native sends to Azure for a resource of a plan: path, API version and body. Pure.
 * @module
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Type } from "./types.ts";

type Properties = Readonly<Record<string, unknown>>;

/** How the provider asks for one kind of resource. */
export interface Endpoint {
  /** Azure's name of the type. */
  readonly type: string;
  readonly version: string;
  /** Inputs that go into the path; the first is the resource's own name. */
  readonly path: readonly string[];
}

const NETWORK = "Microsoft.Network";
const inGroup = (type: string, version: string, name: string, ...more: string[]): Endpoint => {
  return { type, version, path: [name, "resourceGroupName", ...more] };
};

/**
 * By Pulumi's type, what ARM gets. A blob is not among them: the provider writes it as a client of the storage service.
 * azure-native says the version of each in its own declarations, and a test compares.
 */
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "azure-native:resources:ResourceGroup": {
    type: "Microsoft.Resources/resourceGroups",
    version: "2024-03-01",
    path: ["resourceGroupName"],
  },
  "azure-native:managedidentity:UserAssignedIdentity": inGroup(
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "2023-01-31",
    "resourceName",
  ),
  "azure-native:network:VirtualNetwork": inGroup(`${NETWORK}/virtualNetworks`, "2024-05-01", "virtualNetworkName"),
  "azure-native:network:Subnet": inGroup(
    `${NETWORK}/virtualNetworks/subnets`,
    "2024-05-01",
    "subnetName",
    "virtualNetworkName",
  ),
  "azure-native:network:NetworkSecurityGroup": inGroup(
    `${NETWORK}/networkSecurityGroups`,
    "2024-05-01",
    "networkSecurityGroupName",
  ),
  "azure-native:network:PublicIPAddress": inGroup(`${NETWORK}/publicIPAddresses`, "2024-05-01", "publicIpAddressName"),
  "azure-native:network:LoadBalancer": inGroup(`${NETWORK}/loadBalancers`, "2024-05-01", "loadBalancerName"),
  "azure-native:network:NetworkInterface": inGroup(
    `${NETWORK}/networkInterfaces`,
    "2024-05-01",
    "networkInterfaceName",
  ),
  "azure-native:keyvault:Vault": inGroup("Microsoft.KeyVault/vaults", "2024-11-01", "vaultName"),
  "azure-native:keyvault:Key": inGroup("Microsoft.KeyVault/vaults/keys", "2024-11-01", "keyName", "vaultName"),
  "azure-native:storage:StorageAccount": inGroup("Microsoft.Storage/storageAccounts", "2024-01-01", "accountName"),
  "azure-native:storage:Table": inGroup(
    "Microsoft.Storage/storageAccounts/tableServices/tables",
    "2024-01-01",
    "tableName",
    "accountName",
  ),
  "azure-native:storage:BlobContainer": inGroup(
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "2024-01-01",
    "containerName",
    "accountName",
  ),
  "azure-native:compute:VirtualMachine": inGroup("Microsoft.Compute/virtualMachines", "2024-11-01", "vmName"),
  "azure-native:compute:VirtualMachineRunCommandByVirtualMachine": inGroup(
    "Microsoft.Compute/virtualMachines/runCommands",
    "2024-11-01",
    "runCommandName",
    "vmName",
  ),
  "azure-native:operationalinsights:Workspace": inGroup(
    "Microsoft.OperationalInsights/workspaces",
    "2023-09-01",
    "workspaceName",
  ),
  "azure-native:monitor:ActionGroup": inGroup(
    "Microsoft.Insights/actionGroups",
    "2024-10-01-preview",
    "actionGroupName",
  ),
  "azure-native:applicationinsights:Workbook": inGroup("Microsoft.Insights/workbooks", "2023-06-01", "resourceName"),
  "azure-native:monitor:MetricAlert": inGroup("Microsoft.Insights/metricAlerts", "2018-03-01", "ruleName"),
  "azure-native:monitor:ScheduledQueryRule": inGroup(
    "Microsoft.Insights/scheduledQueryRules",
    "2025-01-01-preview",
    "ruleName",
  ),
  "azure-native:monitor:DiagnosticSetting": {
    type: "Microsoft.Insights/diagnosticSettings",
    version: "2021-05-01-preview",
    path: ["name", "resourceUri"],
  },
  "azure-native:authorization:RoleAssignment": {
    type: "Microsoft.Authorization/roleAssignments",
    version: "2022-04-01",
    path: ["roleAssignmentName", "scope"],
  },
  "azure-native:authorization:ManagementLockByScope": {
    type: "Microsoft.Authorization/locks",
    version: "2020-05-01",
    path: ["lockName", "scope"],
  },
};

/** The provider makes it up where the program gives none. */
const AUTONAMED = { roleAssignmentName: "11111111-2222-4333-8444-555555555555" };

/** Inputs that are called otherwise in the body; azure-native's own names, on the left. */
export const RENAMED: Readonly<Record<string, string>> = {
  networkRuleSet: "networkAcls",
  virtualNetworkResourceId: "id",
  enableHttpsTrafficOnly: "supportsHttpsTrafficOnly",
  odataType: "odata.type",
};

const FIXTURES = resolve(import.meta.dirname, "../../fixtures/azure-types");

/** The files that were read. */
const read = new Map<string, Readonly<Record<string, Type>>>();

/** Returns a type of an API version. @throws Error where the fixture has none */
export function typeIn(name: string, version: string): Type {
  const file = `${name.split("/")[0]?.toLowerCase()}_${version}.json`;
  const types = read.get(file) ?? JSON.parse(readFileSync(join(FIXTURES, file), "utf8"));
  read.set(file, types);
  const type = types[name];
  if (type === undefined) throw new Error(`test/fixtures/azure-types/${file} has no ${name}`);
  return type;
}

/** What is sent, and what is wrong with the path that it is sent to. */
export interface Request {
  readonly body: Properties;
  readonly mistakes: readonly string[];
}

/**
 * Makes the request that the provider makes: values of the path go into the path, and what the provider has taken out of
 * `properties` goes back there.
 */
export function requestFor({ path }: Endpoint, inputs: Properties, type: Type): Request {
  const all: Properties = { ...AUTONAMED, ...(filled(inputs) as Properties) };
  const wrong = path.filter((name) => typeof all[name] !== "string" || all[name] === "");
  const own = Object.entries(all).filter(([name]) => !path.includes(name) && !(name in AUTONAMED && !(name in inputs)));
  return {
    body: { name: all[path[0] ?? ""], ...(nested(Object.fromEntries(own), type) as Properties) },
    mistakes: wrong.map((name) => `${name}, which the path needs, is missing or no text`),
  };
}

/** Puts a value of Azure's form where the plan shows what only Azure knows. */
function filled(value: unknown): unknown {
  if (typeof value === "string") {
    return value
      .replaceAll("<random>", "0123456789abcdef")
      .replaceAll("<address>", "203.0.113.9")
      .replaceAll("<private>", "10.0.0.4")
      .replaceAll(/<(subscription|tenant|machine|client)>/g, "11111111-2222-4333-8444-555555555555");
  }
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner)]));
}

/** Gives a value the form of its type: names, the list of identities, and what lies under `properties`. */
function nested(value: unknown, type: Type | undefined): unknown {
  if (Array.isArray(value)) {
    const isMap = type?.additional !== undefined && value.every((entry) => typeof entry === "string");
    return isMap ? Object.fromEntries(value.map((id) => [id, {}])) : value.map((entry) => nested(entry, type?.array));
  }
  if (typeof value !== "object" || value === null) return value;
  const known = { ...type?.object, ...type?.cases?.[String((value as Properties).odataType)]?.object };
  const body: Record<string, unknown> = {};
  const flattened: Record<string, unknown> = {};
  for (const [input, inner] of Object.entries(value)) {
    const other = RENAMED[input];
    const name = other !== undefined && !(input in known) ? other : input;
    const { object: below = {}, readOnly = [] } = known.properties ?? {};
    if (!(name in known) && (name in below || readOnly.includes(name))) flattened[name] = nested(inner, below[name]);
    else body[name] = nested(inner, known[name]);
  }
  return Object.keys(flattened).length === 0
    ? body
    : { ...body, properties: { ...flattened, ...(body.properties ?? {}) } };
}
