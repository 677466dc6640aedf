import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { CHARTS, workbook } from "../../../infra/components/workbook.ts";
import { KEYS } from "../../../infra/config/schema.ts";
import { at } from "../../emulators/azure-resource-manager/properties.ts";
import { EVERYTHING, plan } from "../../fixtures/stack-configs.ts";
import { names, resource } from "./planned.ts";

const MACHINE =
  "/subscriptions/<subscription>/resources/ResourceGroup/group/providers/Microsoft.Compute/virtualMachines/signer";
const page = readFileSync(resolve(import.meta.dirname, "../../../docs/reference/metrics.md"), "utf8");

/** Each metric of the page by the name that it has in Azure Monitor, with its labels. */
const known = new Map(
  [...page.matchAll(/^\| `(\w+)` \| \w+ \| ([^|]*)\|/gm)].map(([, name = "", labels = ""]) => [
    name.replace(/_expiry_timestamp_seconds$/, "_seconds_left").replace(/_timestamp_seconds$/, "_seconds_ago"),
    [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
  ]),
);

describe("the signer's figures in Azure Monitor", () => {
  it("are not there unless monitoring is on", async () => {
    expect(names(await plan())).not.to.include("figures");
  });

  it("are written by the machine's identity, which may write metrics in its own group and nothing else", async () => {
    const { inputs } = resource(await plan(EVERYTHING), "figures-role");
    expect(inputs).to.deep.include({
      scope: "/subscriptions/<subscription>/resources/ResourceGroup/group",
      principalId: "<machine>",
      principalType: "ServicePrincipal",
    });
    expect(inputs.roleDefinitionId).to.match(/roleDefinitions\/3913510d-42f4-4e42-8a64-420c390055eb$/);
  });

  it("have a workbook of the machine, whose name is a GUID that stays", async () => {
    const one = resource(await plan(EVERYTHING), "workbook").inputs;
    const other = resource(await plan({ monitoring: "true" }), "workbook").inputs;
    expect(one.resourceName).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(other.resourceName).to.equal(one.resourceName);
    expect(at(one, "sourceId")).to.equal(MACHINE);
    expect(JSON.parse(String(at(one, "serializedData")))).to.deep.equal(workbook([MACHINE]));
  });

  it("of a pair are both machines' in the one workbook", async () => {
    const { inputs } = resource(await plan({ ...EVERYTHING, instances: "2" }), "workbook");
    expect(at(inputs, "sourceId")).to.equal(MACHINE);
    expect(JSON.parse(String(at(inputs, "serializedData")))).to.deep.equal(workbook([MACHINE, `${MACHINE}-2`]));
  });

  it("are asked for by their names and dimensions on the page of metrics", () => {
    for (const { title, metrics, splitBy } of CHARTS) {
      for (const [metric] of metrics) {
        expect([...known.keys()], title).to.include(metric);
        if (splitBy !== undefined) expect(known.get(metric), title).to.include(splitBy);
      }
    }
  });
});

describe("where alerts are posted", () => {
  const said = (url: string) => KEYS.alertWebhook.schema.safeParse(url).error?.issues[0]?.message;

  it("is an address of a service that reads Azure's form", () => {
    for (const url of [
      "https://events.pagerduty.com/integration/0123456789abcdef0123456789abcdef/enqueue",
      "https://api.opsgenie.com/v1/json/azure?apiKey=11111111-2222-4333-8444-555555555555",
      "https://prod-27.northcentralus.logic.azure.com/workflows/w/triggers/manual/paths/invoke?sig=abc",
    ]) {
      expect(said(url), url).to.equal(undefined);
    }
  });

  for (const [url, message] of [
    ["http://events.pagerduty.com/integration/K/enqueue", /begins with https/],
    ["https://user:pass@example.org/", /begins with https/],
    ["https://:pass@example.org/", /begins with https.*a user or a password/],
    ["https://example.org/#part", /begins with https.*after #/],
    ["https://localhost/", /begins with https/],
    ["events.pagerduty.com", /begins with https/],
    ["https://example.org/a b", /begins with https/],
    [
      "https://hooks.slack.com/services/T0/B0/secretsecret",
      /hooks\.slack\.com, which does not take alerts in Azure's form/,
    ],
    ["https://api.telegram.org/bot123:secretsecret/sendMessage", /api\.telegram\.org, which does not take/],
  ] as const) {
    it(`is not ${url.replace(/secret.*/, "…")}, and no message repeats it`, () => {
      expect(said(url))
        .to.match(message)
        .and.not.match(/secretsecret|pass@/);
    });
  }
});
