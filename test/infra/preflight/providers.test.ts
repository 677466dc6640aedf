import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { API_VERSIONS } from "../../../infra/api-versions.ts";
import { content } from "../../../infra/arm/resource-content.ts";
import { lacking } from "../../../infra/preflight/rights.ts";
import { CHECKS } from "../../../infra/preflight/table.ts";
import { EVERYTHING, plan } from "../../fixtures/stack-configs.ts";
import { ENDPOINTS, requestFor, typeIn } from "../azure-types/requests.ts";

const root = resolve(import.meta.dirname, "../../..");

describe("what preflight knows of the plan", () => {
  it("are the API versions of azure-native, of everything that the plan asks for by one of its own", () => {
    const known = API_VERSIONS.flatMap(({ type, version, pulumi }) =>
      pulumi.map((name) => [`azure-native:${name}`, { type, version }] as const),
    );
    const asked = Object.entries(ENDPOINTS).map(([name, { type, version }]) => [name, { type, version }] as const);
    // A subnet, a table and a container go by the version of what they are in.
    const within = /:(?:Subnet|Table|BlobContainer)$/;
    expect(Object.fromEntries(known)).to.deep.equal(Object.fromEntries(asked.filter(([name]) => !within.test(name))));
  });

  it("is, of what policies judge, the request that Azure gets, but for what only Azure knows and what is nobody's business", async () => {
    const { resources } = await plan(EVERYTHING);
    for (const name of ["release-account", "account", "address", "interface", "vault", "machine"]) {
      const resource = resources.find((one) => one.name === name);
      const endpoint = ENDPOINTS[resource?.type ?? ""];
      if (resource === undefined || endpoint === undefined) throw new Error(name);
      const { name: _, ...body } = requestFor(endpoint, resource.inputs, typeIn(endpoint.type, endpoint.version)).body;
      const hidden = new Set([
        "customData",
        "userData",
        "identity",
        "tenantId",
        "objectId",
        "ipRules",
        "virtualNetworkRules",
      ]);
      const plain = (value: unknown) =>
        JSON.parse(
          JSON.stringify(value, (key, inner) => (hidden.has(key) ? undefined : inner)).replaceAll(
            /<subscription>|11111111-2222-4333-8444-555555555555/g,
            "x",
          ),
        );
      expect(plain(content(resource)), name).to.deep.equal({ type: endpoint.type, ...plain(body) });
      expect(JSON.stringify(content(resource)), name).not.to.match(/customData|userData/);
    }
  });

  it("is read of rights as Azure reads them: stars over slashes, any case, and what a role takes back is only its own", () => {
    const needed = ["Microsoft.KeyVault/vaults/keys/write"];
    const may = (...permissions: { actions: string[]; notActions?: string[] }[]) =>
      lacking(
        needed,
        permissions.map((one) => ({ notActions: [], ...one })),
      ).length === 0;
    expect(may({ actions: ["*"] })).to.equal(true);
    expect(may({ actions: ["*/write"] })).to.equal(true);
    expect(may({ actions: ["microsoft.keyvault/VAULTS/*"] })).to.equal(true);
    expect(may({ actions: ["Microsoft.KeyVault/vaults/write"] })).to.equal(false);
    expect(may({ actions: ["Microsoft_KeyVault/vaults/keys/write"] })).to.equal(false);
    expect(may({ actions: ["*"], notActions: ["*/keys/*"] })).to.equal(false);
    expect(may({ actions: ["*"], notActions: ["*/keys/*"] }, { actions: ["Microsoft.KeyVault/*"] })).to.equal(true);
    expect(may()).to.equal(false);
  });

  it("is told row by row in docs/reference/preflight.md", () => {
    const page = readFileSync(resolve(root, "docs/reference/preflight.md"), "utf8");
    const told = [...page.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    expect(told).to.deep.equal(CHECKS.flatMap(({ rows }) => rows));
  });
});
