/**
 * Resource providers: registered, and with the API versions that the stack uses; and when those end.
 * @module
 */
import { z } from "zod";
import { API_VERSIONS, endingSoon } from "../api-versions.ts";
import { read } from "../arm/answer.ts";
import { all } from "../arm/client.ts";
import { type Check, type Facts, has, notOk, ok, type Row } from "./row.ts";

/** Providers - List (Microsoft.Resources, 2021-04-01). */
const VERSION = "2021-04-01";

const Provider = z.object({
  namespace: z.string(),
  registrationState: z.string(),
  resourceTypes: z
    .array(z.object({ resourceType: z.string(), apiVersions: z.array(z.string()).default([]) }))
    .default([]),
});

export type Provider = z.output<typeof Provider>;

/** Those of every subscription (resource-providers-and-types) are registered already. */
const NAMESPACES: Readonly<Record<string, readonly string[]>> = {
  Compute: ["compute:VirtualMachine"],
  Network: ["network:NetworkInterface"],
  KeyVault: ["keyvault:Vault"],
  Storage: ["storage:StorageAccount"],
  ManagedIdentity: ["managedidentity:UserAssignedIdentity"],
  Insights: ["monitor:MetricAlert"],
  OperationalInsights: ["operationalinsights:Workspace"],
  // It makes nothing: it is asked what policies would deny.
  PolicyInsights: ["compute:VirtualMachine"],
};

const nameOf = (namespace: string) => `provider ${namespace}`;

/** Judges each namespace that the plan needs. */
export function registered(found: readonly Provider[], facts: Pick<Facts, "plan">): Row[] {
  return Object.entries(NAMESPACES).map(([short, types]) => {
    const name = nameOf(short);
    const namespace = `Microsoft.${short}`;
    if (!types.some((type) => has(facts, type))) return ok(name, "the plan needs it not");
    const state = found.find((one) => one.namespace.toLowerCase() === namespace.toLowerCase())?.registrationState;
    if (state === "Registered") return ok(name, "registered");
    const says = state === undefined ? `Azure does not list ${namespace}` : `${namespace} is ${state}`;
    return notOk(name, says, `az provider register --wait --namespace ${namespace}`);
  });
}

/** Judges the API versions that the provider of Pulumi uses. */
export function versions(found: readonly Provider[], facts: Pick<Facts, "plan" | "now">): Row {
  const used = API_VERSIONS.filter(({ pulumi }) => pulumi.some((type) => has(facts, type)));
  const listed = ({ type, version }: (typeof used)[number]) => {
    const [namespace = "", ...rest] = type.split("/");
    const provider = found.find((one) => one.namespace.toLowerCase() === namespace.toLowerCase());
    const own = provider?.resourceTypes.find((one) => one.resourceType.toLowerCase() === rest.join("/").toLowerCase());
    return own === undefined || own.apiVersions.length === 0 || own.apiVersions.includes(version);
  };
  const gone = used.filter((one) => !listed(one) || (one.ends !== undefined && Date.parse(one.ends) <= +facts.now));
  if (gone.length > 0) {
    const names = gone.map(({ type, version }) => `${type} ${version}`).join(", ");
    return notOk("API versions", `Azure has ended ${names}: a newer version of this project is needed`, "git pull");
  }
  const ending = endingSoon(used, +facts.now);
  if (ending.length === 0) return ok("API versions", `all ${used.length} are served, none ends within 180 days`);
  return ok(
    "API versions",
    `all ${used.length} are served. ${ending.join("; ")}: until then a newer version of this project is needed. Keys and signing do not depend on it`,
  );
}

export const PROVIDERS: Check = {
  rows: [...Object.keys(NAMESPACES).map(nameOf), "API versions"],
  async examine(facts: Facts) {
    const answer = await all(`${facts.subscription}/providers?api-version=${VERSION}`, facts.asker);
    const found = read(z.array(Provider), answer, "the list of resource providers");
    return [...registered(found, facts), versions(found, facts)];
  },
};
