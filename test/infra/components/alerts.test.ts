import { expect } from "chai";
import type { Plan } from "../../../infra/plan/plan.ts";
import { at, list, text } from "../../emulators/azure-resource-manager/properties.ts";
import { EVERYTHING, plan } from "../../fixtures/stack-configs.ts";
import { names, resource } from "./planned.ts";

const PEOPLE = "/subscriptions/<subscription>/monitor/ActionGroup/people";
const VAULT = "/subscriptions/<subscription>/keyvault/Vault/vault";
const MACHINE =
  "/subscriptions/<subscription>/resources/ResourceGroup/group/providers/Microsoft.Compute/virtualMachines/signer";

/** Each alert on a metric: whose, how urgent (0 is the most), and over five minutes, asked every minute, at which figure. */
const METRIC_ALERTS = {
  // A lost permission or a firewall rule is a 403. 401 is left out: every connection begins with one.
  "vault-errors": [VAULT, 1, "ServiceApiResult Count GreaterThan 5", ["403", "429", "500", "502", "503", "504"]],
  "vault-slow": [VAULT, 2, "ServiceApiLatency Average GreaterThan 1000", undefined],
  "machine-unavailable": [MACHINE, 0, "VmAvailabilityMetric Average LessThan 1", undefined],
  // A restart is not ready for seconds, and its highest value is 1 all the same.
  "signer-not-ready": [MACHINE, 0, "tezos_signer_ready Maximum LessThan 1", undefined],
  "watermark-refusal": [MACHINE, 1, "watermark_rejection_total Total GreaterThan 0", ["no"]],
  "machine-tired": [MACHINE, 2, "CPU Credits Remaining Average LessThan 20", undefined],
} as const;

describe("alerts", () => {
  let everything: Plan;
  before(async () => {
    everything = await plan(EVERYTHING);
  });

  it("are not there unless monitoring is on, and are e-mailed only where told to", async () => {
    expect(names(await plan())).not.to.include("alerts");
    const receivers = (planned: Plan) => list(resource(planned, "people").inputs, "emailReceivers");
    expect(receivers(everything)).to.deep.equal([
      { name: "baker", emailAddress: EVERYTHING.alertEmail, useCommonAlertSchema: true },
    ]);
    expect(receivers(await plan({ monitoring: "true" }))).to.deep.equal([]);
  });

  it("are posted to a webhook in Azure's common schema, which PagerDuty and Opsgenie read", async () => {
    const receivers = (planned: Plan) => list(resource(planned, "people").inputs, "webhookReceivers");
    expect(receivers(everything)).to.deep.equal([
      { name: "webhook", serviceUri: EVERYTHING.alertWebhook, useCommonAlertSchema: true },
    ]);
    expect(receivers(await plan({ monitoring: "true" }))).to.deep.equal([]);
  });

  it("watch CPU credits only of a size that has them", async () => {
    expect(names(everything)).to.include("machine-tired");
    const steady = await plan({ monitoring: "true", vmSize: "Standard_D2s_v5" });
    expect(names(steady)).to.include("machine-unavailable").and.not.to.include("machine-tired");
  });

  it("on metrics are these and no others", () => {
    const planned = everything.resources.filter(({ type }) => type.endsWith(":MetricAlert"));
    expect(planned.map(({ name }) => name)).to.have.members(Object.keys(METRIC_ALERTS));
  });

  for (const [name, [scope, severity, criterion, statuses]] of Object.entries(METRIC_ALERTS)) {
    it(`tell of ${name} at ${criterion}, at once and to whom it concerns`, () => {
      const { inputs } = resource(everything, name);
      expect(inputs).to.deep.include({
        enabled: true,
        autoMitigate: true,
        severity,
        scopes: [scope],
        evaluationFrequency: "PT1M",
        windowSize: "PT5M",
        actions: [{ actionGroupId: PEOPLE }],
      });
      const [judged, ...others] = list(inputs, "criteria.allOf");
      expect(others).to.deep.equal([]);
      const { metricName, timeAggregation, operator, threshold } = judged ?? {};
      expect(`${metricName} ${timeAggregation} ${operator} ${threshold}`).to.equal(criterion);
      const dimension = name === "watermark-refusal" ? "retry" : "StatusCode";
      const dimensions = statuses && [{ name: dimension, operator: "Include", values: statuses }];
      expect(judged?.dimensions).to.deep.equal(dimensions);
    });
  }

  it("of no signature ask the audit log every five minutes, in a way that answers a row when there were none", () => {
    const { inputs } = resource(everything, "no-signature");
    expect(inputs).to.deep.include({
      enabled: true,
      autoMitigate: true,
      severity: 0,
      evaluationFrequency: "PT5M",
      windowSize: "PT15M",
      scopes: ["/subscriptions/<subscription>/operationalinsights/Workspace/log"],
      actions: { actionGroups: [PEOPLE] },
    });
    const [criterion] = list(inputs, "criteria.allOf");
    expect(text(criterion, "query"))
      .to.match(/^union isfuzzy=true \(datatable\(.*\)\[\]\), AZKVAuditLogs\n/)
      .and.to.include('| where OperationName == "KeySign" and HttpStatusCode == 200\n')
      .and.to.match(/summarize Signatures = count\(\)$/);
    expect(criterion).to.deep.include({
      operator: "LessThan",
      threshold: 1,
      metricMeasureColumn: "Signatures",
      timeAggregation: "Total",
      failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
    });
  });

  it("and their audit log have every event of the vault, and are bounded in what they may cost", () => {
    expect(resource(everything, "audit-events").inputs).to.deep.include({
      resourceUri: VAULT,
      logAnalyticsDestinationType: "Dedicated",
      logs: [{ category: "AuditEvent", enabled: true }],
    });
    const { inputs } = resource(everything, "log");
    expect(inputs.retentionInDays).to.equal(30);
    expect(at(inputs, "workspaceCapping.dailyQuotaGb")).to.equal(1);
  });
});
