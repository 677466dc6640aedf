import { list, type Properties, text } from "./properties.ts";
import type { Resource, Subscription } from "./subscription.ts";

/**
 * What Azure's resource manager answers of a stack that stands, to a program that asks it by itself: bodies as the REST
 * specifications have them, from what the provider was given.
 * @module
 */
export interface StackAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Question {
  readonly cloud: Subscription;
  /** The whole path, and what the route's pattern names of it. */
  readonly path: string;
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Properties;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly answer: (question: Question) => StackAnswer | undefined | Promise<StackAnswer | undefined>;
}

/** What is run on machines, by the id of its operation: Azure answers 202 until it is over. */
const operations = new Map<string, { readonly ends: Promise<StackAnswer>; looks: number }>();

/** Machines of each subscription, by their path, on which a command is at work: Azure takes one at a time. */
const atWork = new WeakMap<Subscription, Set<string>>();

const GROUP = "/resourceGroups/[^/]+/providers";
const LOCATION = "/providers/Microsoft\\.KeyVault/locations/[^/]+";
const VAULT = "azure-native:keyvault:Vault";
const KEPT = 4_096;

function route(method: string, path: string, answer: Route["answer"]): Route {
  return { method, path: new RegExp(`^/subscriptions/[^/]+${path}$`, "i"), answer };
}

function refused(status: number, code: string): StackAnswer {
  return { status, body: { error: { code, message: `Refused with ${code}.` } } };
}

/** Values that the provider takes beside `properties`, put where a request has them. */
function nested({ inputs }: Resource, renamed: Readonly<Record<string, string>> = {}): Properties {
  const entries = Object.entries(inputs).map(([name, value]) => [renamed[name] ?? name, value]);
  return Object.fromEntries(entries);
}

function found(cloud: Subscription, path: string, body: (resource: Resource) => object): StackAnswer | undefined {
  const resource = cloud.get(path);
  return resource && { status: 200, body: { id: resource.id, ...body(resource) } };
}

const ROUTES: readonly Route[] = [
  route("GET", `${GROUP}/Microsoft\\.Network/networkSecurityGroups/[^/]+`, ({ cloud, path }) =>
    found(cloud, path, (resource) => {
      const rules = list(resource.inputs, "securityRules").map(({ name, ...properties }) => ({ name, properties }));
      return { location: text(resource.inputs, "location"), properties: { securityRules: rules } };
    }),
  ),
  route("GET", "/providers/Microsoft\\.Network/locations/[^/]+/serviceTags", ({ cloud }) => ({
    status: 200,
    body: { values: cloud.account.serviceTags.map((name) => ({ name, properties: {} })) },
  })),
  route("GET", `${GROUP}/Microsoft\\.Storage/storageAccounts/[^/]+`, ({ cloud, path }) =>
    found(cloud, path, (resource) => ({
      properties: nested(resource, {
        networkRuleSet: "networkAcls",
        enableHttpsTrafficOnly: "supportsHttpsTrafficOnly",
      }),
    })),
  ),
  route("GET", `${GROUP}/Microsoft\\.KeyVault/vaults/[^/]+`, ({ cloud, path }) =>
    found(cloud, path, ({ inputs: { location, tags, properties } }) => ({ location, tags, properties })),
  ),
  route("PUT", `${GROUP}/Microsoft\\.KeyVault/vaults/([^/]+)`, async ({ cloud, path, parts: [name = ""], body }) => {
    if (cloud.softDeleted.has(name)) return refused(409, "ConflictError");
    if (cloud.taken.has(name)) return refused(409, "VaultAlreadyExists");
    cloud.hold({ id: path, type: VAULT, inputs: { ...body, vaultName: name }, outputs: { name } });
    await cloud.services.made(name, (body.properties ?? {}) as Properties);
    return { status: 201, body: { id: path, ...body } };
  }),
  route("DELETE", `${GROUP}/Microsoft\\.KeyVault/vaults/([^/]+)`, async ({ cloud, path, parts: [name = ""] }) => {
    const vault = cloud.get(path);
    if (vault === undefined) return { status: 204 };
    cloud.resources.delete(path.toLowerCase());
    cloud.softDeleted.set(name, [vault]);
    await cloud.services.deleted(name);
    return { status: 200 };
  }),
  route("PUT", `${GROUP}/Microsoft\\.KeyVault/vaults/([^/]+)/keys/([^/]+)`, async ({ cloud, path, parts, body }) => {
    const [vault = "", name = ""] = parts;
    await cloud.services.key(vault, name, (body.properties ?? {}) as Properties);
    return { status: 200, body: { id: path, name, ...body } };
  }),
  route("POST", `${LOCATION}/deletedVaults/([^/]+)/purge`, ({ cloud, parts: [name = ""] }) => {
    if (!cloud.softDeleted.delete(name)) return refused(404, "DeletedVaultNotFound");
    return underWay(cloud, Promise.resolve({ status: 200 }));
  }),
  route("GET", `${GROUP}/Microsoft\\.Compute/virtualMachines/[^/]+/runCommands`, ({ cloud, path }) => {
    const commands = cloud.below(path.replace(/\/runCommands$/i, "")).filter(({ id }) => /\/runCommands\//i.test(id));
    return { status: 200, body: { value: commands.map(({ id }) => ({ id, name: id.split("/").at(-1) })) } };
  }),
  route("GET", `${GROUP}/Microsoft\\.Compute/virtualMachines/[^/]+/runCommands/[^/]+`, ({ cloud, path, query }) =>
    found(cloud, path, ({ id }) => ({
      properties: query.get("$expand") === "instanceView" ? { instanceView: cloud.runCommands.view(id) } : {},
    })),
  ),
  route("POST", `${GROUP}/Microsoft\\.Compute/virtualMachines/([^/]+)/runCommand`, ({ cloud, path, parts, body }) => {
    const [machine = ""] = parts;
    if (cloud.get(path.replace(/\/runCommand$/i, "")) === undefined) return refused(404, "ResourceNotFound");
    const busy = atWork.get(cloud) ?? new Set();
    atWork.set(cloud, busy);
    if (cloud.runCommands.busy > 0 || busy.has(path)) return refused(409, "Conflict");
    busy.add(path);
    const script = (body.script as string[] | undefined)?.join("\n") ?? "";
    const ends = cloud.services.run(machine, script).then((printed): StackAnswer => {
      const stdout = Buffer.from(printed).subarray(-KEPT).toString();
      const message = `Enable succeeded: \n[stdout]\n${stdout}\n[stderr]\n`;
      return { status: 200, body: { value: [{ code: "ProvisioningState/succeeded", level: "Info", message }] } };
    });
    void ends.catch(() => undefined).then(() => busy.delete(path));
    return underWay(cloud, ends);
  }),
  route("GET", "/providers/fake/operations/(\\d+)", async ({ parts: [id = ""], path }) => {
    const operation = operations.get(id);
    if (operation === undefined) return refused(404, "NotFound");
    operation.looks += 1;
    return operation.looks === 1 ? later(path) : operation.ends;
  }),
];

/** What is going on, at an address to look at. */
function underWay(cloud: Subscription, ends: Promise<StackAnswer>): StackAnswer {
  const id = String(operations.size + 1);
  operations.set(id, { ends, looks: 0 });
  ends.catch(() => undefined);
  return later(`${cloud.subscription}/providers/fake/operations/${id}`);
}

function later(path: string): StackAnswer {
  const location = `https://management.azure.com${path}?api-version=2024-11-01`;
  return { status: 202, headers: { location, "retry-after": "0" } };
}

/** @returns undefined for what is not of a stack that stands */
export async function stackAnswer(
  cloud: Subscription,
  method: string,
  url: string,
  text: string,
): Promise<StackAnswer | undefined> {
  const { pathname: path, searchParams: query } = new URL(url, "https://management.azure.com");
  for (const { answer, ...one } of ROUTES) {
    const match = one.method === method ? one.path.exec(path) : null;
    if (match === null) continue;
    const body = (text === "" ? {} : JSON.parse(text)) as Properties;
    return answer({ cloud, path, parts: match.slice(1), query, body });
  }
  return undefined;
}
