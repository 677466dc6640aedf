import { expect } from "chai";
import type { Row } from "../../../infra/preflight/row.ts";
import { CHECKS } from "../../../infra/preflight/table.ts";
import { type Fault, ROLES } from "../../emulators/azure-resource-manager/account.ts";
import { EVERYTHING } from "../../fixtures/stack-configs.ts";
import { World } from "./world.ts";

const NAMES = CHECKS.flatMap(({ rows }) => rows);

/** Rows that ask Azure nothing in a stack of the least, before its first `up`. */
const UNASKED = ["vaults", "vault's name", "watermarks' account", "releases' account", "own address"];

/** What is asked of the subscription, by the rows that hang on it. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  "/subscriptions/[^/]+$": ["subscription", "offer"],
  "/locations$": ["region"],
  "/permissions$": ["rights to make", "rights to make keys", "rights to give roles"],
  "/[^/]+/providers$": NAMES.filter((name) => name.startsWith("provider ") || name === "API versions"),
  "Microsoft.Compute/skus$": ["size", "image", "cores"],
  "Microsoft.Compute/locations/\\w+/usages$": ["size", "image", "cores"],
  "/versions(?:/|$)": ["size", "image", "cores", "image's terms"],
  "Microsoft.Network/locations/\\w+/usages$": ["addresses"],
  "Microsoft.Storage/locations/\\w+/usages$": ["storage accounts"],
  "Microsoft.Storage/skus$": ["redundancy"],
  checkPolicyRestrictions: NAMES.filter((name) => name.startsWith("policy of ")),
  "/locks$": ["locks"],
};

/** Names asked for once there is an id. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  "Microsoft.KeyVault/checkNameAvailability": ["vault's name"],
  "/deletedVaults/": ["vault's name"],
  "Microsoft.Storage/checkNameAvailability": ["watermarks' account", "releases' account"],
};

const error = (code: string) => JSON.stringify({ error: { code, message: "A message with \u001b[31mcolours." } });

/** What may come instead of an answer, and what is said of it. */
const INSTEAD: Readonly<Record<string, { readonly fault: Omit<Fault, "path">; readonly says: RegExp }>> = {
  "no JSON": { fault: { body: "<html>Proxy</html>" }, says: /: 200, and what comes is no JSON object$/ },
  "an answer that is cut short": { fault: { body: '{"value":[{"name":' }, says: /no JSON object$/ },
  nothing: { fault: { body: "" }, says: /no JSON object$/ },
  "JSON null": { fault: { body: "null" }, says: /no JSON object$/ },
  "an answer of another form": {
    fault: { body: '{"value":[{"strange":[1]}]}' },
    says: /another form|is no size|undefined|no list|no such/,
  },
  "a list that is none": { fault: { body: '{"value":{"a":1}}' }, says: /another form|no list at/ },
  401: {
    fault: { status: 401, body: error("ExpiredAuthenticationToken") },
    says: /^Azure does not say \(.+: 401 ExpiredAuthenticationToken\)$/,
  },
  403: {
    fault: { status: 403, body: error("AuthorizationFailed") },
    says: /^this login may not ask \(.+: 403 AuthorizationFailed\)$/,
  },
  429: {
    fault: { status: 429, body: error("TooManyRequests"), headers: { "retry-after": "17" } },
    says: /^Azure is asked too often now/,
  },
  500: { fault: { status: 500, body: "" }, says: /^Azure does not say \(.+: 500\)$/ },
  "503 without JSON": { fault: { status: 503, body: "Service Unavailable" }, says: /: 503\)$/ },
};

function of(rows: readonly Row[], names: readonly string[]): Row[] {
  return rows.filter(({ name }) => names.includes(name));
}

describe("a preflight whose questions are answered badly", function () {
  this.timeout(60_000);

  for (const [what, { fault, says }] of Object.entries(INSTEAD)) {
    it(`says of each row that it is not known, and why, where ${what} comes, and of the others what they are`, async () => {
      for (const [path, rows] of Object.entries({ ...ASKED, ...NAMED })) {
        await using world = await World.start();
        world.id = "0123456789abcdef";
        world.cloud.account.faults.push({ path: new RegExp(path), ...fault });
        const all = await world.rows();
        expect(all.map(({ name }) => name)).to.deep.equal(NAMES);
        for (const row of of(all, rows)) {
          // A list of images that is not there, or empty, is an image that there is not.
          if (row.verdict === "not ok" && row.name === "image") continue;
          expect(row.verdict, `${path}: ${row.name}: ${row.says}`).to.equal("not known");
          expect(row.says, `${path}: ${row.name}`).to.match(says);
        }
        for (const row of all.filter(({ name }) => !rows.includes(name))) {
          expect(row.verdict, `${path}: ${row.name}: ${row.says}`).to.equal("ok");
        }
      }
    });
  }

  it("waits no longer than it may for one that never comes, and says so in its row alone", async () => {
    await using world = await World.start();
    world.timeoutMs = 1_500;
    world.cloud.account.faults.push({ path: /\/locks$/, silent: true });
    const rows = await world.rows();
    const [row] = of(rows, ["locks"]);
    expect(row?.verdict).to.equal("not known");
    expect(row?.says).to.match(/^https:\/\/management\.azure\.com does not answer: /);
  });

  it("reads every page of every list", async () => {
    await using world = await World.start({ monitoring: "true" });
    world.cloud.account.pageSize = 1;
    expect((await world.rows()).filter(({ verdict }) => verdict !== "ok")).to.deep.equal([]);
    world.cloud.account.permissions = [ROLES.Reader, ROLES.Contributor, ROLES["User Access Administrator"]].flatMap(
      (role) => role ?? [],
    );
    expect((await world.rows()).filter(({ verdict }) => verdict !== "ok")).to.deep.equal([]);
  });

  it("follows no page to another host, where the token would go, nor round in a circle", async () => {
    const links = {
      "https://management.azure.com.example.org/next": /its next page is not at https:\/\/management\.azure\.com/,
      "http://management.azure.com/next": /its next page is not at/,
      "17": /its next page is not at/,
      "https://management.azure.com/subscriptions/x/locks?api-version=1": /its pages go round/,
    };
    for (const [nextLink, says] of Object.entries(links)) {
      await using world = await World.start();
      const link = nextLink === "17" ? 17 : nextLink;
      world.cloud.account.faults.push({ path: /\/locks$/, body: JSON.stringify({ value: [], nextLink: link }) });
      const [row] = of(await world.rows(), ["locks"]);
      expect(row?.says).to.match(says);
      expect(row?.verdict).to.equal("not known");
    }
  });

  it("passes over fields that it does not know", async () => {
    await using world = await World.start();
    const value = [
      {
        id: "/x/providers/Microsoft.Authorization/locks/a",
        name: "a",
        new: 1,
        properties: { level: "ReadOnly", more: {} },
      },
    ];
    world.cloud.account.faults.push({ path: /\/locks$/, body: JSON.stringify({ value, count: 1 }) });
    expect(of(await world.rows(), ["locks"])[0]?.verdict).to.equal("ok");
  });

  it("believes no state and no level that it does not know to be good", async () => {
    await using world = await World.start();
    world.cloud.account.state = "Frozen";
    expect(of(await world.rows(), ["subscription"])[0]).to.include({ verdict: "not ok" });
  });

  it("has the token in no row, whatever comes", async () => {
    for (const { fault } of Object.values(INSTEAD)) {
      await using world = await World.start();
      world.cloud.account.faults.push({ path: /./, ...fault });
      const rows = await world.rows();
      expect(JSON.stringify(rows)).not.to.contain(world.cloud.managementToken);
      expect(JSON.stringify(rows)).not.to.contain("colours");
      const known = rows.filter(({ verdict }) => verdict === "ok").map(({ name }) => name);
      expect(known).to.have.members(UNASKED);
    }
  });

  it("only reads: it asks by GET, and by POST what changes nothing", async () => {
    await using world = await World.start(EVERYTHING);
    world.id = "0123456789abcdef";
    await world.rows();
    const posts = world.management.asked.filter((line) => !line.startsWith("GET "));
    expect(posts.length).to.be.above(5);
    expect(
      posts.filter((line) => !/^POST .+\/(?:checkNameAvailability|checkPolicyRestrictions)$/.test(line)),
    ).to.deep.equal([]);
  });
});
