import { badRequest } from "../arm.ts";
import { at, list, type Properties, text, texts } from "../properties.ts";
import type { Kind, Subscription } from "../subscription.ts";
import { must } from "./addresses.ts";
import { inGroup } from "./in-group.ts";

const NAME = /^[A-Za-z0-9][\w. -]{1,62}$/;

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Workspace, diagnostic setting, alerts, workbook. */
export const MONITOR: Readonly<Record<string, Kind>> = {
  "azure-native:operationalinsights:Workspace": {
    ...inGroup(
      "Microsoft.OperationalInsights/workspaces",
      ["workspaceName"],
      /^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$/,
    ),
    put: () => ({ provisioningState: "Succeeded" }),
  },
  "azure-native:monitor:DiagnosticSetting": {
    replaces: ["resourceUri", "name"],
    id: (inputs) =>
      `${text(inputs, "resourceUri")}/providers/Microsoft.Insights/diagnosticSettings/${text(inputs, "name")}`,
    put: (inputs, cloud) => {
      must(cloud, text(inputs, "resourceUri"));
      must(cloud, text(inputs, "workspaceId"));
      const known = list(inputs, "logs").every(({ category }) => category === "AuditEvent");
      if (!known) throw badRequest("BadRequest", "Category is not supported.");
      return {};
    },
  },
  "azure-native:monitor:ActionGroup": {
    ...inGroup("Microsoft.Insights/actionGroups", ["actionGroupName"], NAME),
    global: true,
    put: (inputs) => {
      if (text(inputs, "groupShortName").length > 12)
        throw badRequest("BadRequest", "groupShortName has at most 12 characters.");
      return {};
    },
  },
  "azure-native:applicationinsights:Workbook": {
    ...inGroup("Microsoft.Insights/workbooks", ["resourceName"], GUID),
    put: (inputs) => {
      if (text(inputs, "kind") !== "shared") throw badRequest("BadRequest", "The kind of a workbook is shared.");
      try {
        JSON.parse(text(inputs, "serializedData"));
      } catch {
        throw badRequest("BadRequest", "serializedData is no JSON.");
      }
      return {};
    },
  },
  "azure-native:monitor:ScheduledQueryRule": {
    ...inGroup("Microsoft.Insights/scheduledQueryRules", ["ruleName"], NAME),
    put: (inputs, cloud) => {
      for (const scope of texts(inputs, "scopes")) must(cloud, scope);
      for (const id of texts(inputs, "actions.actionGroups")) must(cloud, id);
      const [criterion] = list(inputs, "criteria.allOf");
      if (/AZKVAuditLogs/.test(text(criterion, "query")) && at(inputs, "skipQueryValidation") !== true) {
        throw badRequest(
          "BadRequest",
          "'where' operator: Failed to resolve table or column expression named 'AZKVAuditLogs'",
        );
      }
      return {};
    },
  },
  "azure-native:monitor:MetricAlert": {
    ...inGroup("Microsoft.Insights/metricAlerts", ["ruleName"], NAME),
    global: true,
    put: metricAlert,
  },
};

function metricAlert(inputs: Properties, cloud: Subscription): Properties {
  for (const scope of texts(inputs, "scopes")) {
    const size = text(must(cloud, scope).inputs, "hardwareProfile.vmSize");
    const credits = list(inputs, "criteria.allOf").some(({ metricName }) => /^CPU Credits/.test(String(metricName)));
    if (credits && !size.startsWith("Standard_B")) {
      throw badRequest("BadRequest", "Couldn't find a metric named CPU Credits Remaining.");
    }
  }
  for (const { metricNamespace, metricName, skipMetricValidation } of list(inputs, "criteria.allOf")) {
    // A metric of one's own is known once it was sent.
    if (metricNamespace !== undefined && skipMetricValidation !== true) {
      throw badRequest("BadRequest", `Couldn't find a metric named ${metricName}.`);
    }
  }
  for (const action of list(inputs, "actions")) must(cloud, text(action, "actionGroupId"));
  if (!["PT1M", "PT5M", "PT15M", "PT30M", "PT1H"].includes(text(inputs, "windowSize"))) {
    throw badRequest("BadRequest", "windowSize is not supported.");
  }
  if (text(inputs, "location") !== "global")
    throw badRequest("BadRequest", "The location of a metric alert is global.");
  return {};
}
