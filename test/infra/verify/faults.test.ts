import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { expect } from "chai";
import type { Row } from "../../../infra/preflight/row.ts";
import { redacted } from "../../../infra/verify/redaction.ts";
import { IMPORT_ROWS, VAULT_ROWS } from "../../../infra/verify/vault-steps.ts";
import { TELL } from "../../../infra/verify/verdicts.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { EVERYTHING } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { LOOKS } from "./faults.ts";
import { ID, type Part, World } from "./world.ts";

function wrong(rows: readonly Row[]): string[] {
  return rows.filter(({ verdict }) => verdict !== "ok").map(({ name }) => name);
}

/** The vault that is thrown away: what is left of it. */
function left({ cloud }: World): string[] {
  const name = `tzver${ID}`;
  const stands = [...cloud.resources.keys()].filter((id) => id.includes(name));
  return [...stands, ...[...cloud.softDeleted.keys()].filter((vault) => vault === name)];
}

/** Rows of a test stack, in their order. */
const all: string[] = [];

describe("verify", function () {
  this.timeout(300_000);

  before(function () {
    requires(this, hasProgram("python3"), "python3 is not installed (.ci/machine-tools)");
  });

  it("finds nothing where nothing is wrong, and leaves nothing behind", async () => {
    await using world = await World.start();
    const rows = await world.rows();
    expect(rows.filter(({ verdict }) => verdict !== "ok")).to.deep.equal([]);
    all.push(...rows.map(({ name }) => name));
    expect(left(world)).to.deep.equal([]);
    expect(world.cloud.get(`${world.home}/providers/Microsoft.KeyVault/vaults/tezos-${ID}`)).not.to.equal(undefined);
  });

  for (const [what, { part, faults }] of Object.entries(LOOKS)) {
    it(`finds ${what}: ${faults.length} faults, each by its row, and its command mends it`, async () => {
      await using world = await World.start();
      for (const { breaks } of faults) breaks(world);
      const rows = await world.rows(part);
      for (const { row, says } of faults) {
        const found = rows.find(({ name }) => name === row);
        expect(found?.verdict, row).not.to.equal("ok");
        expect(found?.says, row).to.contain(says);
      }
      expect(wrong(rows)).to.have.members(faults.flatMap(({ row, beside = [] }) => [row, ...beside]));
      // What is Azure's own way is mended by nobody here.
      const mends = new Set(rows.flatMap(({ mend }) => mend ?? []).filter((mend) => mend !== TELL));
      for (const mend of mends) await world.type(mend);
      await world.putBack();
      expect(wrong(await world.rows(part))).to.deep.equal([]);
      expect(left(world)).to.deep.equal([]);
    });
  }

  it("is told row by row in docs/reference/verify.md", () => {
    const page = readFileSync(resolve(import.meta.dirname, "../../../docs/reference/verify.md"), "utf8");
    expect([...page.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name)).to.deep.equal(all);
  });

  it("has a fault for every row", () => {
    const found = new Set(Object.values(LOOKS).flatMap(({ faults }) => faults.map(({ row }) => row)));
    expect(all.filter((row) => !found.has(row))).to.deep.equal(["vault made", "key by Azure's manager"]);
  });

  it("says who may make keys where Azure lets none be made through its manager, and its command mends that", async () => {
    await using world = await World.start();
    const body = '{"error":{"code":"ForbiddenByRbac"}}';
    const path = /\/keys\/k1$/;
    world.cloud.account.faults.push({ path, method: "PUT", status: 403, body });
    const row = (await world.rows("vault")).find(({ name }) => name === "key by Azure's manager");
    expect(row).to.include({ verdict: "not ok" });
    expect(row?.says).to.contain("refused (403 ForbiddenByRbac)");
    expect(row?.mend).to.match(/^az role assignment create --assignee .+ --role "Key Vault Contributor" --scope /);
    expect(redacted(row?.mend ?? "")).to.equal(row?.mend);
    expect(left(world)).to.deep.equal([]);
    await world.type(row?.mend ?? "");
    world.cloud.account.faults.length = 0;
    expect(wrong(await world.rows("vault"))).to.deep.equal([]);
  });

  it("knows nothing of vaults where it may make none, and leaves nothing behind", async () => {
    await using world = await World.start();
    world.cloud.account.faults.push({
      path: /\/vaults\/tzver/,
      method: "PUT",
      status: 403,
      body: '{"error":{"code":"RequestDisallowedByPolicy"}}',
    });
    const rows = await world.rows("vault");
    expect(rows.find(({ name }) => name === "vault made")?.says).to.contain("RequestDisallowedByPolicy");
    expect(wrong(rows)).to.include.members([...VAULT_ROWS, ...IMPORT_ROWS]);
    expect(left(world)).to.deep.equal([]);
  });

  it("makes and writes nothing on a production stack, whatever its configuration says now", async () => {
    await using world = await World.start({ production: "true", authorizedKeys: EVERYTHING.authorizedKeys });
    const before = JSON.stringify([...world.cloud.resources]);
    const asked = world.asked();
    const rows = await world.rows();
    expect(wrong(rows)).to.deep.equal([]);
    expect(rows.length).to.be.above(20);
    expect(JSON.stringify([...world.cloud.resources])).to.equal(before);
    expect(asked().filter((line) => !line.startsWith("GET ") && !line.endsWith("/runCommand"))).to.deep.equal([]);
    const [script = "", ...more] = world.network.scripts;
    expect(more).to.deep.equal([]);
    // Of what the machine sends, one request could change something, and what it names is not there.
    const sent = [...script.matchAll(/"ask":"(?!GET|HEAD)(\w+)","url":"([^"]+)"/g)].map(
      ([, ask, url]) => `${ask} ${url}`,
    );
    expect(sent).to.deep.equal([
      `DELETE https://tezos-${ID}.vault.azure.net/keys/tezos-signer-verify-no-such-key?api-version=2025-07-01`,
    ]);
  });

  it("takes away what it made where it is ended in the middle, at every request that changes something", async () => {
    for (const at of [/\/vaults\/tzver\w+$/, /\/keys\/k1$/, /\/runCommand$/]) {
      await using world = await World.start();
      const controller = new AbortController();
      world.onAsked((line) => {
        if (at.test(line) && !line.startsWith("GET") && !line.startsWith("DELETE")) controller.abort();
      });
      const rows = await world.vaultRows(controller.signal);
      expect(left(world), String(at)).to.deep.equal([]);
      expect(rows.find(({ name }) => name === "taken away")?.verdict, String(at)).to.equal("ok");
    }
  });

  /** A vault to throw away as a run left it. */
  function vaultOf(world: World, tags?: object) {
    const id = `${world.home}/providers/Microsoft.KeyVault/vaults/tzver${ID}`;
    return { id, type: "azure-native:keyvault:Vault", inputs: { vaultName: `tzver${ID}`, tags }, outputs: {} };
  }
  const ended = spawnSync("true").pid;
  const HOUR = 3_600_000;
  const ago = (milliseconds: number) => new Date(Date.now() - milliseconds).toISOString();

  it("goes on where the login ends, and where Azure is asked too often or not reached while the machine is at work", async () => {
    await using world = await World.start();
    const passing = [429, 503, 429].map((status) => {
      return { path: /fake\/operations/, status, headers: { "retry-after": "0" }, times: 1 };
    });
    world.network.before = () => {
      world.cloud.managementToken += "-renewed";
      world.cloud.account.faults.push(...passing);
    };
    const rows = await world.rows("vault");
    expect(rows.filter(({ verdict }) => verdict !== "ok")).to.deep.equal([]);
    expect(passing.map(({ times }) => times)).to.deep.equal([0, 0, 0]);
    expect(left(world)).to.deep.equal([]);
  });

  it("takes away first what a run left that was killed, deleted or not", async () => {
    await using world = await World.start();
    world.cloud.hold(vaultOf(world, { "made-by": `${hostname()} ${ended}`, "made-at": ago(0) }));
    expect(wrong(await world.rows("vault" satisfies Part))).to.deep.equal([]);
    world.cloud.softDeleted.set(`tzver${ID}`, [
      vaultOf(world, { "made-by": "another computer 7", "made-at": ago(HOUR + 1) }),
    ]);
    expect(wrong(await world.rows("vault" satisfies Part))).to.deep.equal([]);
    expect(left(world)).to.deep.equal([]);
  });

  /** Runs that may be at work, and what is said of them. */
  const OTHERS = {
    "of this computer": [{ "made-by": `${hostname()} ${process.ppid}` }, /process \d+ of this computer/],
    "on another computer": [{ "made-by": "another computer 7" }, /on another computer: .+ at \d\d:\d\d UTC$/],
  } as const;
  for (const [where, [by, says]] of Object.entries(OTHERS)) {
    it(`leaves alone the vault of a run that is at work ${where}, deleted or not, and says so`, async () => {
      await using world = await World.start();
      const stands = vaultOf(world, { ...by, "made-at": ago(60_000) });
      for (const isDeleted of [false, true]) {
        if (isDeleted) {
          world.cloud.resources.delete(stands.id.toLowerCase());
          world.cloud.softDeleted.set(`tzver${ID}`, [stands]);
        } else world.cloud.hold(stands);
        const asked = world.asked();
        const rows = await world.rows("vault");
        expect(rows.find(({ name }) => name === "vault made")).to.include({ verdict: "not known" });
        expect(rows[0]?.says)
          .to.match(/^another `npm run verify` made a vault at \d\d:\d\d UTC and may be at work in it/)
          .and.match(says);
        expect(asked().filter((line) => !line.startsWith("GET "))).to.deep.equal([]);
        expect(left(world)).to.have.length(1);
      }
    });
  }

  it("leaves the vault to another run that made it at the same moment", async () => {
    await using world = await World.start();
    world.cloud.services = {
      ...world.cloud.services,
      made: async () => world.cloud.hold(vaultOf(world, { ...OTHERS["of this computer"][0], "made-at": ago(0) })),
    };
    const rows = await world.rows("vault");
    expect(rows.filter(({ verdict }) => verdict !== "not known")).to.deep.equal([]);
    expect(rows.find(({ name }) => name === "taken away")?.says).to.match(/^another `npm run verify`/);
    expect(left(world)).to.have.length(1);
  });
});
