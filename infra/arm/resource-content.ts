/**
 * A resource as a request to Azure holds it, made of the inputs that Pulumi has. Pure.
 * @module
 */

type Properties = Readonly<Record<string, unknown>>;

/** Azure's names of the types whose bodies are made here. */
const TYPES: Readonly<Record<string, string>> = {
  "azure-native:storage:StorageAccount": "Microsoft.Storage/storageAccounts",
  "azure-native:network:PublicIPAddress": "Microsoft.Network/publicIPAddresses",
  "azure-native:network:NetworkInterface": "Microsoft.Network/networkInterfaces",
  "azure-native:keyvault:Vault": "Microsoft.KeyVault/vaults",
  "azure-native:compute:VirtualMachine": "Microsoft.Compute/virtualMachines",
};

/** What a body holds beside `properties`. */
const BESIDE = new Set(["location", "tags", "sku", "kind", "identity"]);

/** Inputs that are called otherwise in a body. */
const RENAMED: Readonly<Record<string, string>> = {
  networkRuleSet: "networkAcls",
  enableHttpsTrafficOnly: "supportsHttpsTrafficOnly",
};

/** Inputs that are in the path. */
const IN_PATH = /^(?:resourceGroupName|vaultName|accountName|vmName|networkInterfaceName|publicIpAddressName)$/;

/**
 * Returns a resource as a request to Azure holds it, as far as policies look at it. What only Azure knows, such as ids, and
 * what is nobody's business, such as userData, is left out.
 */
export function content({ type, inputs }: { readonly type: string; readonly inputs: Properties }): Properties {
  const own = Object.entries(inputs).filter(([name]) => !IN_PATH.test(name) && name !== "userData");
  const beside = own.filter(([name]) => BESIDE.has(name) && name !== "identity");
  const given = type === "azure-native:keyvault:Vault" ? ((inputs.properties ?? {}) as Properties) : undefined;
  const properties = own.filter(([name]) => !BESIDE.has(name)).map(([name, value]) => [RENAMED[name] ?? name, value]);
  return known({
    type: TYPES[type],
    ...Object.fromEntries(beside),
    properties: given ?? configured(Object.fromEntries(properties)),
  }) as Properties;
}

/** Where a list holds its entries' values under `properties`, and which names stay beside it. */
const NESTED: Readonly<Record<string, string>> = { ipConfigurations: "name", networkInterfaces: "id" };

/** Puts values under `properties` where Azure has them so, at every depth; a machine's first boot is left out. */
function configured(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(configured);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== "customData");
  return Object.fromEntries(entries.map(([name, inner]) => [name, asEntries(inner, NESTED[name])]));
}

function asEntries(value: unknown, beside: string | undefined): unknown {
  if (beside === undefined || !Array.isArray(value)) return configured(value);
  return (value as Properties[]).map(({ [beside]: kept, ...properties }) => ({ [beside]: kept, properties }));
}

/** Leaves out what the plan shows as unknown: `<tenant>`. An id of a resource to be is kept, since it says that there is one. */
function known(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(known);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => !(typeof inner === "string" && /^<\w+>/.test(inner)));
  return Object.fromEntries(entries.map(([name, inner]) => [name, known(inner)]));
}
