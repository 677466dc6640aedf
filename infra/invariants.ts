/**
 * Rules that every plan of this stack keeps, whatever the configuration. Pure: planned resources in, broken rules out.
 * @module
 */
import { at, type Plan, type PlannedResource } from "./plan/recorder.ts";

export interface PolicyRule {
  /** What holds, as a sentence. */
  readonly name: string;
  /** What breaks it, one line each; none where it holds. */
  readonly broken: (plan: Plan) => string[];
}

/** Kinds that take no tags, or whose tags mean something else. */
const WITHOUT_TAGS = /:(Subnet|Table|BlobContainer|Blob|RoleAssignment|ManagementLockByScope|DiagnosticSetting|Key)$/;

/** Tezos secret keys in base58check, PEM with content, JSON web tokens, and what Azure's connection strings hold. */
const SECRET = new RegExp(
  [
    /\b(edsk|spsk|p2sk|BLsk|edesk|spesk|p2esk|BLesk)[1-9A-HJ-NP-Za-km-z]{20}/,
    /PRIVATE KEY-----\s*[A-Za-z0-9+/]{20}/,
    /\beyJ[\w-]{20,}\.[\w-]{20}/,
    /AccountKey=[A-Za-z0-9+/]{20}/,
    /[?&]sig=[\w%]{20}/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

export const POLICY_RULES: readonly PolicyRule[] = [
  {
    name: "No rule lets just anyone in",
    broken: (plan) =>
      rules(plan).flatMap(({ name, direction, access, ...rule }) => {
        const open = sources(rule).filter((source) => /^(\*|Internet|Any)$|\/0$/.test(source));
        return direction === "Inbound" && access === "Allow" ? open.map((source) => `${name} takes ${source}`) : [];
      }),
  },
  {
    name: "Each direction of the firewall ends in a denial of everything else",
    broken: (plan) =>
      ["Inbound", "Outbound"].filter((direction) => {
        const last = rules(plan)
          .filter((rule) => rule.direction === direction)
          .at(-1);
        const all = last?.sourceAddressPrefix === "*" && last.destinationAddressPrefix === "*" && last.protocol === "*";
        return !(all && last.access === "Deny" && last.destinationPortRange === "*");
      }),
  },
  {
    name: "The Internet is reached on port 80, for packages, and on the port of the head's node",
    broken: (plan) =>
      rules(plan)
        .filter(({ direction, access }) => direction === "Outbound" && access === "Allow")
        .filter(({ destinationAddressPrefix: to }) => /^(\*|Internet|Any)$|\/0$/.test(String(to)))
        .filter(({ destinationPortRange: port }) => !["80", nodePort(plan)].includes(String(port)))
        .map(({ name, destinationPortRange: port }) => `${name} goes to port ${port}`),
  },
  {
    name: "The vault and the watermarks' account deny what they are not told to allow",
    broken: (plan) => [
      ...of(plan, "keyvault:Vault")
        .map(({ inputs }) => at(inputs, "properties.networkAcls"))
        .flatMap((acls) => (isClosed(acls) ? [] : ["the vault"])),
      ...watermarkAccounts(plan).flatMap(({ name, inputs }) => (isClosed(inputs.networkRuleSet) ? [] : [name])),
    ],
  },
  {
    name: "The watermarks' account has no shared keys",
    broken: (plan) =>
      watermarkAccounts(plan).flatMap(({ name, inputs }) => (inputs.allowSharedKeyAccess === false ? [] : [name])),
  },
  {
    name: "No account is read without a key or a token",
    broken: (plan) => [
      ...of(plan, "storage:StorageAccount").flatMap(({ name, inputs }) =>
        inputs.allowBlobPublicAccess === false && inputs.enableHttpsTrafficOnly === true ? [] : [name],
      ),
      ...of(plan, "storage:BlobContainer").flatMap(({ name, inputs }) =>
        inputs.publicAccess === "None" ? [] : [name],
      ),
    ],
  },
  {
    name: "Nobody signs but the machine, and nobody deletes, purges, backs up or exports keys",
    broken: (plan) =>
      of(plan, "keyvault:Vault").flatMap(({ inputs }) =>
        (at(inputs, "properties.accessPolicies") as AccessPolicy[]).flatMap(({ permissions: { keys } }, index) =>
          keys
            .filter(
              (right) =>
                /^(delete|purge|backup|restore|release|all|rotate)$/i.test(right) || (right === "sign" && index > 0),
            )
            .map((right) => `policy ${index} has ${right}`),
        ),
      ),
  },
  {
    name: "No secret is in what the machine is given or what the stack prints",
    broken: (plan) => [
      ...of(plan, "compute:VirtualMachine").flatMap(({ inputs }) => [
        ...(SECRET.test(decoded(at(inputs, "osProfile.customData"))) ? ["customData"] : []),
        ...(SECRET.test(decoded(inputs.userData)) ? ["userData"] : []),
      ]),
      ...Object.entries(plan.outputs).flatMap(([name, value]) => (SECRET.test(JSON.stringify(value)) ? [name] : [])),
    ],
  },
  {
    name: "Every resource says whose it is",
    broken: (plan) =>
      plan.resources
        .filter(({ type }) => type.startsWith("azure-native:") && !WITHOUT_TAGS.test(type))
        .filter(({ inputs }) => at(inputs, "tags.project") !== "tezos-signer" || at(inputs, "tags.stack") === undefined)
        .map(({ name }) => name),
  },
  {
    name: "No value is missing inside a text",
    broken: (plan) =>
      [...plan.resources.map(({ name, inputs }) => [name, inputs] as const), ["outputs", plan.outputs] as const]
        .filter(([, value]) => /undefined|\[object|NaN|null\b/.test(JSON.stringify(value)))
        .map(([name]) => name),
  },
];

/** Broken rules as sentences; none for a plan that keeps them all. */
export function violations(plan: Plan): string[] {
  return POLICY_RULES.flatMap(({ name, broken }) => broken(plan).map((what) => `${name}: ${what}`));
}

interface AccessPolicy {
  readonly permissions: { readonly keys: readonly string[] };
}

type SecurityRule = Readonly<Record<string, unknown>>;

function of(plan: Plan, type: string): PlannedResource[] {
  return plan.resources.filter((resource) => resource.type === `azure-native:${type}`);
}

/**
 * Every account but the releases': that one holds a container of blobs and nothing else (releases.ts says why it is
 * open). One that holds a table too is none.
 */
function watermarkAccounts(plan: Plan): PlannedResource[] {
  const holders = (type: string) => new Set(of(plan, type).map(({ inputs }) => inputs.accountName));
  const [blobs, tables] = [holders("storage:BlobContainer"), holders("storage:Table")];
  return of(plan, "storage:StorageAccount").filter(
    ({ inputs: { accountName } }) => tables.has(accountName) || !blobs.has(accountName),
  );
}

/** The port of the node that the signer asks for the chain's head, as the machine is told it; empty where there is none. */
function nodePort(plan: Plan): string {
  const [machine] = of(plan, "compute:VirtualMachine");
  const node = at(JSON.parse(decoded(machine?.inputs.userData) || "{}"), "settings.head.node");
  if (node === undefined) return "";
  const { port, protocol } = new URL(String(node));
  return port === "" ? (protocol === "https:" ? "443" : "80") : port;
}

/** Every security rule of the plan, by priority. */
function rules(plan: Plan): SecurityRule[] {
  const all = of(plan, "network:NetworkSecurityGroup").flatMap(({ inputs }) => inputs.securityRules as SecurityRule[]);
  return all.sort((a, b) => Number(a.priority) - Number(b.priority));
}

function sources(rule: SecurityRule): string[] {
  return [rule.sourceAddressPrefix, ...((rule.sourceAddressPrefixes as unknown[] | undefined) ?? [])]
    .filter((source) => source !== undefined)
    .map(String);
}

function isClosed(acls: unknown): boolean {
  return at(acls, "defaultAction") === "Deny" && at(acls, "bypass") === "None";
}

function decoded(base64: unknown): string {
  return Buffer.from(String(base64 ?? ""), "base64").toString();
}
