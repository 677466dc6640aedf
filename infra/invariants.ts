/**
 * Rules that hold for every signer, whatever its configuration. Pure: registered resources in, broken rules out.
 * inspection.ts holds each `pulumi preview` and `pulumi up` to them, and `npm run plan` lists them.
 * What a preview does not know yet breaks no rule; the `up` asks again, once it knows.
 * @module
 */
import { METRICS_PORT, SIGNER_PORT } from "../signer/contract.ts";
import { KINDS } from "./components/kinds.ts";
import { headNode } from "./config/head-node.ts";
import type { StackConfig } from "./config/schema.ts";
import { at, type Plan, type RegisteredResource, UNKNOWN } from "./plan/plan.ts";
import { SECRET } from "./secret-forms.ts";

/** What the rules are asked of: registered resources, and the signer's outputs. */
type Registered = Plan<RegisteredResource>;

export interface Invariant {
  /** What holds, as a sentence. */
  readonly name: string;
  /** Returns how one resource breaks it, a line each; asked before the resource is made. An empty line: by what it is. */
  readonly brokenBy?: (resource: RegisteredResource) => string[];
  /** Returns what breaks it among all resources, a line each that begins with the resource's name; asked at the end. */
  readonly brokenIn?: (resources: readonly RegisteredResource[]) => string[];
  /** Whether an output breaks it by its texts: one that the signer has, or one that the stack adds. */
  readonly brokenByTexts?: (texts: readonly string[]) => boolean;
}

/** What a missing value leaves in a text that was put together. */
const MISSING = /undefined|\[object |\bNaN\b|(^|[-./:])null($|[-./:])/;

/** Rights by which a key is lost, copied, or made another one. */
const LOSES_KEYS = /^(delete|purge|backup|restore|release|all|rotate)$/i;

export const INVARIANTS: readonly Invariant[] = [
  {
    name: "No rule lets just anyone in",
    brokenBy: (resource) =>
      openings(resource).flatMap((rule) =>
        sources(rule)
          .filter(isAnyone)
          .map((source) => `${rule.name} takes ${source}`),
      ),
  },
  {
    name: "The machine is reached on the ports of signing, of logging in and of metrics, and on no other",
    brokenBy: (resource) =>
      openings(resource)
        .filter(({ destinationPortRange: port }) => ![SIGNER_PORT, METRICS_PORT, 22].map(String).includes(String(port)))
        .map((rule) => `${rule.name} opens port ${rule.destinationPortRange}`),
  },
  {
    name: "Each direction of the firewall ends in a denial of everything else",
    brokenBy: (resource) =>
      isFirewall(resource) ? ["Inbound", "Outbound"].filter((way) => !isClosed(resource, way)) : [],
    brokenIn: (resources) => (resources.some(isFirewall) ? [] : ["there is no firewall"]),
  },
  {
    name: "The Internet is reached on port 80, for packages, and on the port of the head's node",
    brokenIn: (resources) => {
      const node = nodePort(resources);
      if (node === UNKNOWN) return [];
      return resources.flatMap((resource) =>
        rules(resource)
          .filter(({ direction, access }) => direction === "Outbound" && access === "Allow")
          .filter((rule) => destinations(rule).some(isAnyone))
          .filter(({ destinationPortRange: port }) => !["80", node].includes(String(port)))
          .map((rule) => `${resource.name}, ${rule.name} goes to port ${rule.destinationPortRange}`),
      );
    },
  },
  {
    name: "The vault and the watermarks' account deny what they are not told to allow",
    brokenBy: (resource) => {
      const { type, inputs } = resource;
      const acls = type === VAULT ? at(inputs, "properties.networkAcls") : inputs.networkRuleSet;
      return (type === VAULT || isClosedAccount(resource)) && !isDenying(acls) ? [""] : [];
    },
  },
  {
    name: "The watermarks' account has no shared keys",
    brokenBy: (resource) => (isClosedAccount(resource) && !is(resource.inputs.allowSharedKeyAccess, false) ? [""] : []),
  },
  {
    name: "The watermarks are not in the account of the releases",
    brokenBy: ({ type, parentType }) => (type === TABLE && parentType === RELEASES ? [""] : []),
    brokenIn: (resources) => {
      const open = resources.filter(({ type, parentType }) => type === ACCOUNT && parentType === RELEASES);
      const names = new Set(open.map(({ inputs }) => inputs.accountName).filter((name) => name !== UNKNOWN));
      return resources.flatMap(({ type, name, inputs }) =>
        type === TABLE && names.has(inputs.accountName) ? [name] : [],
      );
    },
  },
  {
    name: "No account is read without a key or a token",
    brokenBy: ({ type, inputs }) => {
      const closed =
        type === ACCOUNT
          ? is(inputs.allowBlobPublicAccess, false) && is(inputs.enableHttpsTrafficOnly, true)
          : type !== CONTAINER || is(inputs.publicAccess, "None");
      return closed ? [] : [""];
    },
  },
  {
    name: "Nobody signs but the machine, and nobody deletes, purges, backs up or exports keys",
    brokenBy: ({ type, inputs }) => {
      if (type !== VAULT) return [];
      // With roles, whoever has one above the vault would be let in, and no policy would count.
      if (!is(at(inputs, "properties.enableRbacAuthorization"), false)) return ["roles count, and policies do not"];
      return list(at(inputs, "properties.accessPolicies")).flatMap((policy, index) =>
        list(at(policy, "permissions.keys"))
          .map(String)
          .filter((right) => LOSES_KEYS.test(right) || (/^sign$/i.test(right) && index > 0))
          .map((right) => `policy ${index} has ${right}`),
      );
    },
  },
  {
    name: "No secret is in what the machine is given or what the stack prints",
    brokenBy: (resource) =>
      resource.type === MACHINE
        ? ["osProfile.customData", "userData"].filter((path) => SECRET.test(decoded(at(resource.inputs, path))))
        : [],
    brokenByTexts: (texts) => SECRET.test(texts.join("\n")),
  },
  {
    name: "Every resource says whose it is",
    brokenBy: ({ type, inputs }) => {
      if (!type.startsWith("azure-native:") || KINDS[type]?.untagged) return [];
      return at(inputs, "tags.project") === "tezos-signer" && at(inputs, "tags.stack") !== undefined ? [] : [""];
    },
  },
  {
    name: "No value is missing inside a text",
    brokenBy: ({ inputs }) => texts(inputs).filter((text) => MISSING.test(text)),
    brokenByTexts: (texts) => texts.some((text) => MISSING.test(text)),
  },
];

/** Returns the rules that one resource breaks, as sentences that name it. */
export function violationsOf(resource: RegisteredResource): string[] {
  return INVARIANTS.flatMap(({ name, brokenBy }) =>
    (brokenBy?.(resource) ?? []).map((how) => `${name}: ${resource.name}${how === "" ? "" : `, ${how}`}`),
  );
}

/** Returns the rules that all resources together break, as sentences. */
export function violationsAmong(resources: readonly RegisteredResource[]): string[] {
  return INVARIANTS.flatMap(({ name, brokenIn }) => (brokenIn?.(resources) ?? []).map((what) => `${name}: ${what}`));
}

/** Returns the rules that outputs break, as sentences that name them. */
export function violationsIn(outputs: Readonly<Record<string, unknown>>): string[] {
  return INVARIANTS.flatMap(({ name, brokenByTexts }) =>
    Object.entries(outputs)
      .filter(([, value]) => brokenByTexts?.(texts(value)))
      .map(([output]) => `${name}: ${output}`),
  );
}

/** Returns every broken rule as a sentence; none for a plan that keeps them all. */
export function violations({ resources, outputs }: Registered): string[] {
  return [...resources.flatMap(violationsOf), ...violationsAmong(resources), ...violationsIn(outputs)];
}

const FIREWALL = "azure-native:network:NetworkSecurityGroup";
const VAULT = "azure-native:keyvault:Vault";
const MACHINE = "azure-native:compute:VirtualMachine";
const ACCOUNT = "azure-native:storage:StorageAccount";
const CONTAINER = "azure-native:storage:BlobContainer";
const TABLE = "azure-native:storage:Table";
const RELEASES = "tezos-signer:infra:Releases";

type SecurityRule = Readonly<Record<string, unknown>>;

const isFirewall = ({ type }: RegisteredResource) => type === FIREWALL;

const isAnyone = (address: string) => /^(\*|Internet|Any)$|\/0$/.test(address);

/** Whether it is an account, and not the releases' (releases.ts says why that one is open). */
function isClosedAccount({ type, parentType }: RegisteredResource): boolean {
  return type === ACCOUNT && parentType !== RELEASES;
}

/** The port of the node that the signer asks for the chain's head, as the machine is told it; empty where there is none. */
function nodePort(resources: readonly RegisteredResource[]): string | typeof UNKNOWN {
  const told = resources.find(({ type }) => type === MACHINE)?.inputs.userData;
  if (told === UNKNOWN) return UNKNOWN;
  const { settings } = JSON.parse(decoded(told) || "{}") as { settings?: Pick<StackConfig, "head"> };
  return String(headNode(settings?.head)?.port ?? "");
}

/** The rules of a firewall by priority; none of any other resource. */
function rules(resource: RegisteredResource): SecurityRule[] {
  const all = isFirewall(resource) ? (list(resource.inputs.securityRules) as SecurityRule[]) : [];
  return [...all].sort((a, b) => Number(a.priority) - Number(b.priority));
}

/** The rules that let somebody in. */
function openings(resource: RegisteredResource): SecurityRule[] {
  return rules(resource).filter(({ direction, access }) => direction === "Inbound" && access === "Allow");
}

const sources = (rule: SecurityRule) => prefixes(rule.sourceAddressPrefix, rule.sourceAddressPrefixes);
const destinations = (rule: SecurityRule) => prefixes(rule.destinationAddressPrefix, rule.destinationAddressPrefixes);

/** Azure takes one address, block or tag by one name, and several by another. */
function prefixes(one: unknown, several: unknown): string[] {
  return [one, ...list(several)].filter((prefix) => prefix !== undefined).map(String);
}

/** Whether the last rule of a direction denies everything. */
function isClosed(firewall: RegisteredResource, way: string): boolean {
  if (firewall.inputs.securityRules === UNKNOWN) return true;
  const last = rules(firewall).findLast(({ direction }) => direction === way);
  const all = last?.sourceAddressPrefix === "*" && last.destinationAddressPrefix === "*" && last.protocol === "*";
  return all && last.access === "Deny" && last.destinationPortRange === "*";
}

/** Whether a value is as it must be, or is not known yet. */
function is(value: unknown, wanted: unknown): boolean {
  return value === wanted || value === UNKNOWN;
}

/** Whether the network rules of a vault or an account deny by default, with no way around them. */
function isDenying(acls: unknown): boolean {
  return is(at(acls, "defaultAction"), "Deny") && is(at(acls, "bypass"), "None");
}

function decoded(base64: unknown): string {
  return typeof base64 === "string" ? Buffer.from(base64, "base64").toString() : "";
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Properties whose text is not put together here: base64 holds every sequence of letters, and tags and paths are the user's. */
const AS_GIVEN = new Set(["customData", "userData", "keyData", "tags", "source"]);

/** Every text inside a value. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (AS_GIVEN.has(name) ? [] : texts(inner)));
}
