/**
 * Mends by the real Azure CLI what preflight finds on the fake Azure: the commands that its rows name are typed to `az`
 * itself, whose cloud is the fake one. One fault of each kind of command; the others are held to az's own table
 * (test/docs/named-commands.test.ts). `.ci/command-tables` runs it, with the Python of the CLI that it keeps.
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROLES } from "../emulators/azure-resource-manager/account.ts";
import type { Cloud } from "../emulators/azure-resource-manager/cloud.ts";
import { LOCK } from "../emulators/azure-resource-manager/locks.ts";
import { CertificateAuthority } from "../emulators/key-vault/certificates.ts";
import { callsIn } from "../harness/shell-words.ts";
import { FAULTS, ID } from "../infra/preflight/faults.ts";
import { World } from "../infra/preflight/world.ts";

/** The cloud that `az` is at now. */
let cloud: Cloud;

const SUBSCRIPTION = "5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11";

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

type Route = readonly [
  method: string,
  path: RegExp,
  act: (parts: readonly string[], body: never, query: string) => Answer,
];

/** What az asks on the way, and what it changes: with the form of the REST specifications. */
const ROUTES: readonly Route[] = [
  [
    "POST",
    /\/providers\/(Microsoft\.\w+)\/register$/,
    ([namespace = ""]) => {
      cloud.account.unregistered.delete(namespace);
      return { status: 200, body: { namespace, registrationState: "Registered" } };
    },
  ],
  [
    "GET",
    /^\/subscriptions\/[^/]+\/providers\/(Microsoft\.\w+)$/,
    ([namespace = ""]) => {
      const registrationState = cloud.account.unregistered.has(namespace) ? "NotRegistered" : "Registered";
      return { status: 200, body: { id: namespace, namespace, registrationState, resourceTypes: [] } };
    },
  ],
  [
    "GET",
    /\/providers\/Microsoft\.Authorization\/roleDefinitions$/,
    (_parts, _body, query) => {
      const roleName = /roleName eq '([^']+)'/.exec(query)?.[1] ?? "";
      const id = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${roleName}`;
      const properties = { roleName, type: "BuiltInRole", permissions: [], assignableScopes: ["/"] };
      return { status: 200, body: { value: [{ id, name: roleName, type: "x", properties }] } };
    },
  ],
  ["GET", /\/servicePrincipals$/, () => ({ status: 200, body: { value: [] } })],
  [
    "GET",
    /\/providers\/Microsoft\.Authorization\/locks$/,
    () => ({
      status: 200,
      body: { value: cloud.ofType(LOCK).map(({ id, inputs }) => ({ id, name: inputs.lockName, properties: inputs })) },
    }),
  ],
  [
    "POST",
    /\/directoryObjects\/getByIds$/,
    (_parts, { ids }: { ids: string[] }) => {
      return { status: 200, body: { value: ids.map((id) => ({ "@odata.type": "#microsoft.graph.user", id })) } };
    },
  ],
  [
    "PUT",
    /\/roleAssignments\/([^/]+)$/,
    ([name], { properties }: { properties: { roleDefinitionId: string } }) => {
      const role = ROLES[decodeURIComponent(properties.roleDefinitionId.split("/").at(-1) ?? "")];
      if (role === undefined) return { status: 400, body: { error: { code: "RoleDefinitionDoesNotExist" } } };
      cloud.account.permissions.push(role);
      return { status: 201, body: { id: name, name, properties } };
    },
  ],
  [
    "DELETE",
    /^(\/.*\/providers\/Microsoft\.Authorization\/locks\/[^/]+)$/,
    ([id = ""]) => {
      cloud.delete(LOCK, "by hand", id);
      return { status: 200 };
    },
  ],
  [
    "GET",
    /\/deletedVaults\/([^/]+)$/,
    ([name = ""]) => {
      if (!cloud.softDeleted.has(name)) return { status: 404, body: { error: { code: "DeletedVaultNotFound" } } };
      return { status: 200, body: { name, properties: { location: "northeurope", vaultId: "x" } } };
    },
  ],
  [
    "POST",
    /\/deletedVaults\/([^/]+)\/purge$/,
    ([name = ""]) => {
      return { status: cloud.softDeleted.delete(name) ? 200 : 404 };
    },
  ],
  [
    "PUT",
    /\/policyExemptions\/([^/]+)$/,
    ([name], { properties }: { properties: { policyAssignmentId: string } }) => {
      cloud.account.policies = cloud.account.policies.filter(
        ({ assignment }) => assignment !== properties.policyAssignmentId,
      );
      return { status: 201, body: { id: name, name, properties } };
    },
  ],
  [
    "PATCH",
    /\/providers\/Microsoft\.(\w+)\/locations\/\w+\/providers\/Microsoft\.Quota\/quotas\/(\w+)$/,
    (parts, body: { properties: { limit: { value: number } } }) => {
      const [provider = "", name = ""] = parts;
      const { value } = body.properties.limit;
      const quota = (provider === "Network" ? cloud.account.network : cloud.account.storage)[name];
      if (provider === "Compute") cloud.offer.limits[name] = value;
      else if (quota !== undefined) quota.limit = value;
      return { status: 200, body: { name, properties: body.properties } };
    },
  ],
];

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

/** A token as az reads it. */
const TOKEN = [{ alg: "none" }, { tid: "72f988bf-86f1-41af-91ab-2d7cd011db47", oid: "x", exp: 4_000_000_000 }, "x"]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  .join(".");

const unknown: string[] = [];
const authority = new CertificateAuthority();
const arm = createTlsServer(authority.issue(["localhost"]), async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "https://localhost");
  const path = decodeURIComponent(pathname);
  const text = await textOf(request);
  const found = ROUTES.find(([method, pattern]) => method === request.method && pattern.test(path));
  if (found === undefined) unknown.push(`${request.method} ${path}`);
  const [, pattern, act] = found ?? [];
  const parts = pattern?.exec(path)?.slice(1) ?? [];
  const body = (text === "" ? {} : JSON.parse(text)) as never;
  const { status, body: told } = act?.(parts, body, searchParams.get("$filter") ?? "") ?? { status: 404, body: {} };
  response
    .writeHead(status, { "content-type": "application/json" })
    .end(told === undefined ? "" : JSON.stringify(told));
});
/** Gives az its tokens, as a service of Azure's with an identity has them (IDENTITY_ENDPOINT). */
const identity = createServer((_, response) => {
  const body = { access_token: TOKEN, expires_on: "4000000000", resource: "x", token_type: "Bearer", client_id: "x" };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
});
for (const server of [arm, identity]) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const portOf = (server: typeof arm | typeof identity) => (server.address() as AddressInfo).port;

const home = mkdtempSync(join(tmpdir(), "az-mends-"));
const endpoint = `https://localhost:${portOf(arm)}`;
writeFileSync(join(home, "ca.pem"), authority.certificate);
writeFileSync(
  join(home, "clouds.config"),
  [
    "[Fake]",
    `endpoint_resource_manager = ${endpoint}`,
    `endpoint_management = ${endpoint}`,
    `endpoint_active_directory = ${endpoint}`,
    `endpoint_active_directory_resource_id = ${endpoint}`,
    `endpoint_microsoft_graph_resource_id = ${endpoint}`,
    "suffix_keyvault_dns = .vault.azure.net",
    "",
  ].join("\n"),
);
writeFileSync(
  join(home, "config"),
  "[cloud]\nname = Fake\n[core]\ninstance_discovery = false\ncollect_telemetry = false\n",
);
const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const user = { name: "systemAssignedIdentity", type: "servicePrincipal", assignedIdentityInfo: "MSI" };
const one = { id: SUBSCRIPTION, name: "baking", state: "Enabled", user, isDefault: true, tenantId: tenant };
const subscriptions = [{ ...one, environmentName: "Fake", homeTenantId: tenant, managedByTenants: [] }];
writeFileSync(join(home, "azureProfile.json"), JSON.stringify({ installationId: "x", subscriptions }));

const python = spawn(process.env.AZURE_CLI_PYTHON ?? "python3", [join(import.meta.dirname, "az-mends.py")], {
  env: {
    PATH: process.env.PATH,
    HOME: home,
    AZURE_CONFIG_DIR: home,
    REQUESTS_CA_BUNDLE: join(home, "ca.pem"),
    IDENTITY_ENDPOINT: `http://127.0.0.1:${portOf(identity)}/identity`,
    IDENTITY_HEADER: "x",
    NO_PROXY: "localhost,127.0.0.1",
  },
  stdio: ["pipe", "inherit", "inherit", "pipe"],
});
const answers = createInterface({ input: python.stdio[3] as NodeJS.ReadableStream })[Symbol.asyncIterator]();

async function az(words: readonly string[]): Promise<{ code: unknown; said: string }> {
  python.stdin?.write(`${JSON.stringify(words)}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error("az has ended");
  return JSON.parse(value);
}

/** A fault for each kind of command. */
const TYPED = [
  "somebody who may only read",
  "machines that nobody has registered",
  "no cores in the region",
  "a vault's name that a deleted vault of one's own holds",
  "a policy against shared keys",
  "a lock that lets nothing be written, on the subscription",
];
let passed = 0;
const failed: string[] = [];
try {
  for (const name of TYPED) {
    const fault = FAULTS[name];
    if (fault === undefined) throw new Error(`there is no fault ${name}`);
    await using world = await World.start(fault.config);
    world.id = ID;
    fault.breaks(world);
    const found = (await world.rows()).find(({ name }) => name === fault.row);
    const [program, ...words] = callsIn(found?.mend ?? "").at(-1) ?? [];
    if (program !== "az") throw new Error(`${name} is mended by ${found?.mend}`);
    cloud = world.cloud;
    unknown.length = 0;
    const { code, said } = await az(words);
    const after = (await world.rows()).filter(({ verdict }) => verdict !== "ok").map(({ name }) => name);
    const good = code === 0 && after.length === 0;
    if (good) passed += 1;
    else
      failed.push(
        `${name}: ${found?.mend}\n  az ends with ${code}: ${said}\n  ${unknown.join(", ")}\n  not ok: ${after}`,
      );
    console.log(`${good ? "✔" : "✘"} az ${words.slice(0, 3).join(" ")} …: ${name}`);
  }
} finally {
  python.kill();
  arm.close();
  arm.closeAllConnections();
  identity.close();
  identity.closeAllConnections();
  authority.close();
  rmSync(home, { recursive: true, force: true });
}
for (const text of failed) console.error(text);
console.log(`${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
