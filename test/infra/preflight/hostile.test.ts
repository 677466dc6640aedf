import { execFileSync } from "node:child_process";
import { expect } from "chai";
import type { Row } from "../../../infra/preflight/row.ts";
import { CHECKS, examine, rowsOfAll } from "../../../infra/preflight/table.ts";
import { type Fault, ROLES } from "../../emulators/azure-resource-manager/account.ts";
import { EVERYTHING } from "../../fixtures/stack-configs.ts";
import { World } from "./world.ts";

const ID = "0123456789abcdef";

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
    it(`says of each row that it is not known, and why, where ${what} comes`, async () => {
      await using world = await World.start();
      world.id = ID;
      for (const [path, names] of Object.entries({ ...ASKED, ...NAMED })) {
        world.cloud.account.faults.splice(0, 1, { path: new RegExp(path), ...fault });
        const hang = CHECKS.filter(({ rows }) => rows.some((name) => names.includes(name)));
        const rows = await rowsOfAll(hang, await world.facts());
        expect(rows.map(({ name }) => name)).to.have.members(names);
        for (const row of rows) {
          expect(row.verdict, `${path}: ${row.name}: ${row.says}`).to.equal("not known");
          expect(row.says, `${path}: ${row.name}`).to.match(says);
        }
      }
    });
  }

  it("says of all others what they are", async () => {
    await using world = await World.start();
    world.id = ID;
    for (const [path, names] of Object.entries({ ...ASKED, ...NAMED })) {
      world.cloud.account.faults.splice(0, 1, { path: new RegExp(path), status: 500, body: "" });
      const rows = await world.rows();
      expect(rows.map(({ name }) => name)).to.deep.equal(NAMES);
      const unknown = rows.filter(({ verdict }) => verdict !== "ok").map(({ name }) => name);
      expect(unknown, path).to.have.members(names);
    }
  });

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
    world.cloud.state = "Frozen";
    expect(of(await world.rows(), ["subscription"])[0]).to.include({ verdict: "not ok" });
  });

  it("names a command that a shell takes as one, whatever names others have chosen", async () => {
    await using world = await World.start();
    const name = `x'; touch /tmp/y; echo "$(id)" \`id\` & \nz`;
    const id = world.cloud.locks.byHand(world.cloud, world.cloud.subscription, "ReadOnly", name);
    const assignment = `/providers/Microsoft.Authorization/policyAssignments/${name}`;
    world.cloud.account.policies.push({ assignment, effect: "deny", broken: ({ type = "" }) => /vaults$/.test(type) });
    const rows = await world.rows();
    const words = (row: string) => {
      const script = `set -- ${of(rows, [row])[0]?.mend}; printf '%s\\0' "$@"`;
      return execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
    };
    expect(words("locks")).to.deep.equal(["az", "lock", "delete", "--ids", id]);
    expect(words("policy of the vault")).to.include(assignment);
  });

  it("lets no policy pass that only audits for one that denies, nor one that Azure could not judge for one that it could", async () => {
    await using world = await World.start();
    const assignment = "/providers/Microsoft.Authorization/policyAssignments/looks";
    world.cloud.account.policies.push({ assignment, effect: "Audit", broken: () => true });
    expect((await world.rows()).filter(({ verdict }) => verdict !== "ok")).to.deep.equal([]);
    const evaluation = { policyInfo: { policyAssignmentId: assignment }, evaluationResult: "Error" };
    const body = JSON.stringify({ contentEvaluationResult: { policyEvaluations: [evaluation] } });
    world.cloud.account.faults.push({ path: /checkPolicyRestrictions$/, body });
    expect(of(await world.rows(), ["policy of the vault"])[0]).to.deep.equal({
      name: "policy of the vault",
      verdict: "not known",
      says: "Azure could not judge it by the policy looks",
    });
  });

  it("says nothing of a token that no header takes", async () => {
    await using world = await World.start();
    const facts = await world.facts();
    const rows = await examine({ ...facts, asker: { token: "very\nsecret" } });
    expect(JSON.stringify(rows)).not.to.contain("secret");
    expect(of(rows, ["locks"])[0]?.verdict).to.equal("not known");
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
    world.id = ID;
    await world.rows();
    const posts = world.management.asked.filter((line) => !line.startsWith("GET "));
    expect(posts.length).to.be.above(5);
    expect(
      posts.filter((line) => !/^POST .+\/(?:checkNameAvailability|checkPolicyRestrictions)$/.test(line)),
    ).to.deep.equal([]);
  });
});
