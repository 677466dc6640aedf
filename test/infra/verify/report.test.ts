import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { API_VERSIONS, apiWarnings } from "../../../infra/api-versions.ts";
import { asideBeforeOtherApi } from "../../../infra/up.ts";
import { usualType, vaultTypes } from "../../../infra/vault-api.ts";
import { redacted } from "../../../infra/verify/redaction.ts";
import { changedIn } from "../../../infra/verify/refresh.ts";
import { report } from "../../../infra/verify/report.ts";

/** What nobody else need know, and Azure, Pulumi or a machine may put into its words. */
const PLANTED = [
  "5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11",
  "/subscriptions/5BA1D2F0-0C6E-4F0E-9A43-CF2C2E6F1A11/resourceGroups",
  "203.0.113.77",
  "198.51.100.4/32",
  "2001:db8::17",
  "fe80:1:2:3:4:5:6:7",
  "tezos-0123456789abcdef",
  "tzver0123456789abcdef.vault.azure.net",
  "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJvaWQiOiJ4In0.c2lnbmF0dXJl",
  "edsk3QoqBuvdamxouPhin7swCvkQNgq4jP5KZPbwWNnwdZpSpJiEbq",
  "AccountKey=Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy",
  "sig=abcdefghijklmnopqrstuvwxyz%3D",
  '"password": "hunter2hunter2"',
  "baker@example.org",
  "error: open /home/jbloggs/.pulumi/stacks/test.json: permission denied",
  "C:\\Users\\jbloggs\\.pulumi",
  "tz3fYtKV7WUDpZHjphnM2ARKEJrE3RkzCVRT",
  "p2pk66yhjnN8xQ2CFk8xq2Q5NJsFqYyBzYwRr9hkHgqSPzF8u5TJWmG",
  "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----",
  "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809",
];

/** What of each is the secret. */
const CORES = [
  /5ba1d2f0/i,
  /203\.0\.113|198\.51\.100/,
  /2001:db8|fe80/,
  /0123456789abcdef/,
  /eyJ/,
  /edsk3/,
  /Zm9v/,
  /abcdefghij/,
  /hunter2/,
  /example\.org/,
  /jbloggs/,
  /tz3f/,
  /p2pk6/,
  /MC4C/,
  /1a2b3c4d5e6f7/,
];

describe("the report of a verification", () => {
  const verification = {
    stack: "test",
    production: false,
    location: "northeurope",
    version: "0.2.0",
    now: new Date("2026-11-29T12:00:00Z"),
    interrupted: false,
  };

  it("has no secret, no id and no address, whatever the rows say", () => {
    const rows = PLANTED.map((planted, index) => ({
      name: `row ${index}`,
      verdict: "not ok" as const,
      says: `Azure says (${planted}) of it: ${planted}, and so on`,
      mend: `az something --ids ${planted}`,
    }));
    const text = report({ ...verification, rows });
    for (const core of CORES) expect(text, String(core)).not.to.match(core);
    expect(text.match(/and so on/g)).to.have.length(PLANTED.length);
  });

  it("leaves alone what is no secret", () => {
    const plain =
      "403 Forbidden ForbiddenByFirewall at 12:30:45, version 0.2.0, 1.5 s, api-version=2025-07-01, az vm deallocate " +
      "--resource-group tezos-signer-test --name signer; nodejs.org; docs/verify-on-azure.md; 20 of 20 :: P-256K";
    expect(redacted(plain)).to.equal(plain);
  });

  it("says how many rows are how, and whom to tell, and that it was ended", () => {
    const ok = { name: "a", verdict: "ok" as const, says: "well" };
    const unknown = { name: "b", verdict: "not known" as const, says: "no word" };
    expect(
      report({ ...verification, rows: [ok] })
        .split("\n")
        .at(-1),
    ).to.equal("1 of 1 ok");
    expect(report({ ...verification, rows: [ok, unknown] })).to.match(
      /\n1 of 2 ok, 1 not known\. Below each is what to do/,
    );
    expect(report({ ...verification, rows: [ok], interrupted: true })).to.match(/ended before its end/);
    expect(report({ ...verification, production: true, rows: [ok] })).to.match(/a production stack: nothing was made/);
  });
});

describe("what a refresh would find", () => {
  const said = (steps: object[]) => ({ failed: false, stdout: JSON.stringify({ steps }), stderr: "" });
  const urn = (name: string) => `urn:pulumi:dev::tezos-signer::azure-native:keyvault:Vault::${name}`;

  it("is each resource that is otherwise, with what of it, or that is gone", () => {
    const steps = [
      { op: "refresh", urn: urn("group"), detailedDiff: null },
      { op: "update", urn: urn("vault"), diffReasons: ["tags", "properties"] },
      { op: "delete", urn: urn("machine") },
    ];
    expect(changedIn(said(steps))).to.deep.equal(["vault (tags, properties)", "machine (gone)"]);
    expect(changedIn(said(steps.slice(0, 1)))).to.deep.equal([]);
  });

  it("is not known where Pulumi fails, or prints something else", () => {
    const failed = { failed: true, stdout: "", stderr: "error: incorrect passphrase\n" };
    expect(() => changedIn(failed)).to.throw("pulumi refresh fails: error: incorrect passphrase");
    expect(() => changedIn({ failed: false, stdout: "{}", stderr: "" })).to.throw("has another form");
  });
});

describe("the API versions that the stack uses", () => {
  it("are warned of from 180 days before their end, by a date that stands in one place", () => {
    expect(apiWarnings(Date.parse("2026-08-30T12:00:00Z"))).to.deep.equal([]);
    const [warning, ...more] = apiWarnings(Date.parse("2026-11-29T12:00:00Z"));
    expect(more).to.deep.equal([]);
    expect(warning).to.contain("Microsoft.KeyVault/vaults 2024-11-01 ends on 2027-02-27, in 90 days");
    expect(apiWarnings(Date.parse("2027-03-01T00:00:00Z"))[0]).to.contain("has ended on 2027-02-27");
    expect(new Set(API_VERSIONS.flatMap(({ ends }) => ends ?? []))).to.have.all.keys("2027-02-27");
  });

  it("of the vault are known by one type, whichever they are", () => {
    const { type, other } = vaultTypes("Vault", "2026-02-01");
    expect([type, other].map(usualType)).to.deep.equal(Array(2).fill("azure-native:keyvault:Vault"));
    expect(vaultTypes("Vault", "2024-11-01")).to.deep.equal({ type: other, other: type });
    expect(usualType("azure-native:compute:VirtualMachine")).to.equal("azure-native:compute:VirtualMachine");
  });

  it("of the vault are another one only once Pulumi's memory is aside", () => {
    const folder = mkdtempSync(join(tmpdir(), "aside-"));
    try {
      const urn = "urn:pulumi:test::tezos-signer::azure-native:keyvault:Vault::vault";
      const state = { version: 3, deployment: { resources: [{ urn, type: "azure-native:keyvault:Vault" }] } };
      const now = new Date("2026-11-29T12:00:00Z");
      expect(asideBeforeOtherApi(state, folder, now, "2024-11-01")).to.equal(undefined);
      expect(asideBeforeOtherApi(undefined, folder, now, "2026-02-01")).to.equal(undefined);
      const file = asideBeforeOtherApi(state, folder, now, "2026-02-01") ?? "";
      expect(file).to.equal(join(folder, "before-vault-api-test-2026-11-29T12-00-00-000Z.json"));
      expect(JSON.parse(readFileSync(file, "utf8"))).to.deep.equal(state);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
