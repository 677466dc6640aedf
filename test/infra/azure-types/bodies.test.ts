import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import { expect } from "chai";
import type { Plan, PlannedResource } from "../../../infra/plan/plan.ts";
import { record } from "../../../infra/plan/recorder.ts";
import { TezosSigner } from "../../../infra/tezos-signer.ts";
import { EVERYTHING, plan, release, settings } from "../../fixtures/stack-configs.ts";
import { type Mutation, ofBody, ofInputs } from "./mutations.ts";
import { ENDPOINTS, RENAMED, requestFor, typeIn } from "./requests.ts";
import { mistakes } from "./types.ts";

const ARM = { vmSize: "Standard_B2pts_v2", image: "Canonical:ubuntu-24_04-lts:server-arm64:latest" };
const { authorizedKeys, keyImporter, keys } = EVERYTHING;

/** Whatever changes a resource, on its own and all together. */
const SCENARIOS: Readonly<Record<string, () => Promise<Plan>>> = {
  "of the least": () => plan(),
  "with everything": () => plan(EVERYTHING),
  "of Arm": () => plan(ARM),
  "of a size that no API version names": () => plan({ vmSize: "Standard_B2ats_v2" }),
  "with somebody who logs in": () => plan({ adminIp: "84.20.19.1" }),
  "with somebody who brings keys": () => plan({ keyImporter }),
  "with keys that the vault makes": () => plan({ keys }),
  "with metrics read from outside": () => plan({ metricsIp: "84.20.19.1" }),
  "with alerts that a webhook gets": () =>
    plan({ monitoring: "true", alertWebhook: "https://events.pagerduty.com/integration/KEY/enqueue" }),
  "with alerts that nobody is sent": () => plan({ monitoring: "true" }),
  "with alerts and a machine without credits": () => plan({ monitoring: "true", vmSize: "Standard_D2as_v5" }),
  "of production alone": () => plan({ production: "true", authorizedKeys }),
  "of two machines": () => plan({ instances: "2" }),
  "in three zones": () => plan({ redundancy: "ZRS" }),
  "with a node of its own": () => plan({ head: '{"node":"https://rpc.tzkt.io/mainnet"}' }),
  "within a program of somebody's own": inAnotherProgram,
};

/** In a group, a subnet and a log that are there, with a release that was there before. */
function inAnotherProgram(): Promise<Plan> {
  const id = (path: string) => `/subscriptions/<subscription>/resourceGroups/baking-shared/providers/${path}`;
  return record("dev", () => {
    const location = "northeurope";
    new TezosSigner("shadownet", {
      settings: settings({ monitoring: "true" }),
      release: release("second"),
      earlierReleases: [release("first").name],
      resourceGroup: new ResourceGroup("group", { resourceGroupName: "baking-signer", location }),
      subnetId: id("Microsoft.Network/virtualNetworks/baking/subnets/signer"),
      logWorkspaceId: id("Microsoft.OperationalInsights/workspaces/baking"),
    });
    return {};
  });
}

/** What the provider asks of Azure's resource manager, and not of a service or of itself. */
function isAsked({ type }: Pick<PlannedResource, "type">): boolean {
  return type.startsWith("azure-native:") && type !== "azure-native:storage:Blob";
}

/** @returns a sentence for each mistake, with the resource's name */
function wrongIn(
  { type, name, inputs }: Pick<PlannedResource, "type" | "name" | "inputs">,
  version?: string,
): string[] {
  const endpoint = ENDPOINTS[type];
  if (endpoint === undefined) return [`${name}: test/infra/azure-types/requests.ts knows no ${type}`];
  const own = typeIn(endpoint.type, version ?? endpoint.version);
  const request = requestFor(endpoint, inputs, own);
  return [...request.mistakes, ...mistakes(request.body, own)].map((mistake) => `${name}: ${mistake}`);
}

/** Why the types let a wrong request pass. */
const SURVIVES: readonly (readonly [why: string, fits: (mutation: Mutation, type: string) => boolean])[] = [
  ["tags have any names", ({ kind, path }) => kind === "renamed" && path.startsWith("tags.")],
  [
    "the specification lets a metric's criterion hold whatever else, and these may be missing",
    ({ kind, path }, type) =>
      kind === "renamed" &&
      type.endsWith("/metricAlerts") &&
      /\.(dimensions|metricNamespace|skipMetricValidation)$/.test(path),
  ],
  ["sizes are sold that no version names", ({ kind, path }) => kind === "misspelled" && path.endsWith(".vmSize")],
];

/** The plans that were drawn: one at a time, and each once. */
const drawn = new Map<string, Promise<Plan>>();

function planned(name: string): Promise<Plan> {
  const plan = drawn.get(name) ?? SCENARIOS[name]?.() ?? Promise.reject(new Error(name));
  drawn.set(name, plan);
  return plan;
}

async function allPlanned(): Promise<PlannedResource[]> {
  const resources: PlannedResource[] = [];
  for (const name of Object.keys(SCENARIOS)) resources.push(...(await planned(name)).resources);
  return resources;
}

/** Whether a mistake is about what was changed: it has the path in the body, or what the input's name is there. */
function isAbout({ kind, path }: Mutation, mistake: string): boolean {
  const leaf = path.split(".").at(-1) ?? "";
  const there = RENAMED[leaf] ?? leaf;
  if (kind === "renamed") return mistake.includes(`${leaf}X is not known`) || mistake.includes(`${there} is missing`);
  return mistake.includes(kind === "retyped" ? there : path);
}

describe("what the stack asks of Azure, beside Azure's own specifications", () => {
  for (const name of Object.keys(SCENARIOS)) {
    it(`is a request that they take, of every resource of a stack ${name}`, async () => {
      const asked = (await planned(name)).resources.filter(isAsked);
      expect(asked).to.have.length.above(10);
      expect(asked.flatMap((resource) => wrongIn(resource))).to.deep.equal([]);
    });
  }

  it("is taken by the vault's version that stays as well", async () => {
    const kept = (await allPlanned()).filter(({ type }) => type.startsWith("azure-native:keyvault:"));
    expect(new Set(kept.map(({ type }) => type)).size).to.equal(2);
    expect(kept.flatMap((resource) => wrongIn(resource, "2026-02-01"))).to.deep.equal([]);
  });

  it("is held to the versions that azure-native says it uses", () => {
    const root = resolve(import.meta.dirname, "../../../node_modules/@pulumi/azure-native");
    for (const [type, { version }] of Object.entries(ENDPOINTS)) {
      const [, module = "", name = ""] = type.split(":");
      const declared = readFileSync(resolve(root, module, `${name[0]?.toLowerCase()}${name.slice(1)}.d.ts`), "utf8");
      expect(/Uses Azure REST API version ([\w-]+)/.exec(declared)?.[1], type).to.equal(version);
    }
  });

  it("has every endpoint in one of the plans", async () => {
    const asked = new Set((await allPlanned()).map(({ type }) => type));
    expect(Object.keys(ENDPOINTS).filter((type) => !asked.has(type))).to.deep.equal([]);
  });

  it("is found wrong, by resource and path, for every name, type, value, omission and read-only property", async () => {
    const made: Record<string, number> = {};
    const survivors: Record<string, number> = {};
    const seen = new Set<string>();
    for (const { type, name, inputs } of (await allPlanned()).filter(isAsked)) {
      const endpoint = ENDPOINTS[type];
      const key = JSON.stringify([type, inputs]);
      if (seen.has(key) || endpoint === undefined) continue;
      seen.add(key);
      const own = typeIn(endpoint.type, endpoint.version);
      const ofPlan = ofInputs(inputs).map((mutation) => {
        return { mutation, found: wrongIn({ type, name, inputs: mutation.value }) };
      });
      const ofRequest = ofBody(requestFor(endpoint, inputs, own).body, own).map((mutation) => {
        return { mutation, found: mistakes(mutation.value, own).map((mistake) => `${name}: ${mistake}`) };
      });
      for (const { mutation, found } of [...ofPlan, ...ofRequest]) {
        const what = `${type} ${name}: ${mutation.path} ${mutation.kind}`;
        made[mutation.kind] = (made[mutation.kind] ?? 0) + 1;
        if (found.length > 0) {
          const isNamed = found.some((mistake) => mistake.startsWith(`${name}: `) && isAbout(mutation, mistake));
          expect(isNamed, `${what}: ${found.join("; ")}`).to.equal(true);
        } else {
          const [why] = SURVIVES.find(([, fits]) => fits(mutation, endpoint.type)) ?? [];
          expect(why, `${what}, and nothing found`).not.to.equal(undefined);
          survivors[String(why)] = (survivors[String(why)] ?? 0) + 1;
        }
      }
    }
    expect(Object.keys(survivors)).to.have.members(SURVIVES.map(([why]) => why));
    for (const kind of ["renamed", "retyped", "removed", "misspelled", "read-only"]) {
      expect(made[kind], kind).to.be.greaterThan(100);
    }
  });
});
