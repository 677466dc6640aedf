import { ActionGroup, DiagnosticSetting, MetricAlert, ScheduledQueryRule } from "@pulumi/azure-native/monitor/index.js";
import { Workspace } from "@pulumi/azure-native/operationalinsights/index.js";
import * as pulumi from "@pulumi/pulumi";
import { PEOPLE } from "../config/action-group.ts";
import { inGroup, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";
import type { Machine } from "./machine.ts";
import { metricAlerts } from "./metric-alerts.ts";

export interface AlertsArgs {
  readonly context: StackContext;
  readonly vaultId: pulumi.Input<string>;
  /** The first one first. */
  readonly machines: readonly Machine[];
  /** Size of the machines: only burstable ones have credits to run out of. */
  readonly size: string;
  /** Where alerts are sent; empty: they are seen in the portal only. */
  readonly email: string;
  /** Where they are posted besides, in Azure's common schema; empty: nowhere. */
  readonly webhook: string;
  /** A workspace that is there already, in the same region, for the audit log; absent: one of its own. */
  readonly workspaceId?: pulumi.Input<string> | undefined;
}

/**
 * One row however many signatures there were, none included: a metric of an idle vault may send nothing at all.
 * The empty table stands in until the vault's first audit event has made the real one.
 */
const SIGNATURES = `union isfuzzy=true (datatable(TimeGenerated:datetime, OperationName:string, HttpStatusCode:int)[]), AZKVAuditLogs
| where OperationName == "KeySign" and HttpStatusCode == 200
| summarize Signatures = count()`;

/**
 * The vault's audit log, and alerts: no signatures, vault errors, vault latency, VM unavailable, CPU credits low; and by the
 * signer's own figures: not ready, other bytes asked for at a signed level.
 */
export class Alerts extends pulumi.ComponentResource {
  constructor(name: string, args: AlertsArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Alerts", name, {}, options);
    const { context, vaultId, machines, size, email, webhook } = args;
    const { location, tags } = context;
    const resourceGroupName = context.group.name;
    const child = inGroup(this, context);

    const workspaceId = args.workspaceId ?? ownWorkspace(context, child);
    const group = new ActionGroup(
      context.named("people"),
      {
        resourceGroupName,
        actionGroupName: PEOPLE,
        location: "Global",
        groupShortName: "signer",
        enabled: true,
        emailReceivers: email === "" ? [] : [{ name: "baker", emailAddress: email, useCommonAlertSchema: true }],
        // Not an empty list: a stack from before has none, and would be changed.
        ...(webhook === ""
          ? {}
          : { webhookReceivers: [{ name: "webhook", serviceUri: webhook, useCommonAlertSchema: true }] }),
        tags,
      },
      child,
    );
    const silence = new ScheduledQueryRule(
      context.named("no-signature"),
      {
        resourceGroupName,
        ruleName: "signer-no-signature",
        location,
        displayName: "No signature for 15 minutes",
        description: "The vault signed nothing. Is the baker up, and does it reach the signer?",
        severity: 0,
        enabled: true,
        scopes: [workspaceId],
        evaluationFrequency: "PT5M",
        windowSize: "PT15M",
        skipQueryValidation: true, // AZKVAuditLogs is there only after the first event
        autoMitigate: true,
        criteria: {
          allOf: [
            {
              query: SIGNATURES,
              metricMeasureColumn: "Signatures",
              timeAggregation: "Total",
              operator: "LessThan",
              threshold: 1,
              failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
            },
          ],
        },
        actions: { actionGroups: [group.id] },
        tags,
      },
      child,
    );
    const rules: pulumi.Resource[] = [silence];
    for (const { key, scope, ...metric } of metricAlerts(vaultId, machines, size.startsWith("Standard_B"))) {
      const rule = new MetricAlert(
        context.named(key),
        {
          resourceGroupName,
          ruleName: `signer-${key}`,
          location: "global",
          description: metric.description,
          severity: metric.severity,
          enabled: true,
          autoMitigate: true,
          scopes: [scope],
          evaluationFrequency: "PT1M",
          windowSize: metric.window,
          criteria: {
            odataType: "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
            allOf: [{ criterionType: "StaticThresholdCriterion", name: key, ...metric.criterion }],
          },
          actions: [{ actionGroupId: group.id }],
          tags,
        },
        { ...child, dependsOn: [...machines] }, // their ids are known before they are there
      );
      rules.push(rule);
    }
    new DiagnosticSetting(
      context.named("audit-events"),
      {
        resourceUri: vaultId,
        name: "audit-events",
        workspaceId,
        logAnalyticsDestinationType: "Dedicated", // the table AZKVAuditLogs
        logs: [{ category: "AuditEvent", enabled: true }],
      },
      // Made last, so taken away first: where a lock on the vault refuses that, no alert is gone yet.
      { ...child, dependsOn: rules },
    );
    this.registerOutputs({});
  }
}

function ownWorkspace(context: StackContext, child: pulumi.CustomResourceOptions): pulumi.Output<string> {
  const workspace = new Workspace(
    context.named("log"),
    {
      resourceGroupName: context.group.name,
      workspaceName: pulumi.interpolate`tezos-signer-${context.id}`, // deleted names stay taken for 14 days
      location: context.location,
      sku: { name: "PerGB2018" },
      retentionInDays: 30,
      workspaceCapping: { dailyQuotaGb: 1 }, // a signature is about 1 kB; a flood must not become a bill
      tags: context.tags,
    },
    child,
  );
  return workspace.id;
}

/** What the plan shows of the audit log and the alerts. */
export const ALERTS_KINDS: Kinds = {
  "azure-native:operationalinsights:Workspace": {
    word: "audit log",
    name: "workspaceName",
    shown: ["retentionInDays| days"],
  },
  "azure-native:monitor:DiagnosticSetting": { word: "audit events", name: "name", untagged: true },
  "azure-native:monitor:ActionGroup": { word: "who is told", name: "actionGroupName" },
  "azure-native:monitor:ScheduledQueryRule": { word: "alert", name: "ruleName", shown: ["evaluationFrequency"] },
  "azure-native:monitor:MetricAlert": { word: "alert", name: "ruleName", shown: ["evaluationFrequency"] },
};
