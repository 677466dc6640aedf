import { type Content, NAMESPACES } from "./account.ts";
import { LOCK } from "./locks.ts";
import { list, text } from "./properties.ts";
import type { Subscription } from "./subscription.ts";

/** What is answered, with the form of Azure's REST specifications. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** Where the end is told. */
  readonly location?: string;
}

interface Question {
  readonly cloud: Subscription;
  /** The parts of the path that the route's pattern names. */
  readonly parts: readonly string[];
  readonly body: unknown;
}

interface Route {
  readonly method: "GET" | "POST";
  /** Below the subscription. */
  readonly path: RegExp;
  readonly version: string;
  readonly answer: (question: Question) => Answer;
}

const AUTHORIZATION = "/providers/Microsoft\\.Authorization";
const GROUP = "(?:/resourceGroups/([^/]+))?";
const ACTION_GROUP = "/resourceGroups/([^/]+)/providers/Microsoft\\.Insights/actionGroups/([^/]+)";

/** Kinds of test alerts (azure cli, monitor action-group test-notifications create). */
const ALERT_TYPES: ReadonlySet<string> = new Set([
  "actualcostbudget",
  "forecastedbudget",
  "logalertv1metricmeasurement",
  "logalertv1numresult",
  "logalertv2",
  "metricsdynamicthreshold",
  "metricstaticthreshold",
  "resourcehealth",
  "servicehealth",
]);

function actionGroup(cloud: Subscription, [group = "", name = ""]: readonly string[]) {
  return cloud.get(`${cloud.subscription}/resourceGroups/${group}/providers/Microsoft.Insights/actionGroups/${name}`);
}

function listed(value: readonly unknown[]): Answer {
  return { status: 200, body: { value } };
}

function refused(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message } } };
}

function usages(quotas: Readonly<Record<string, { readonly used: number; readonly limit: number }>>): Answer {
  return listed(
    Object.entries(quotas).map(([value, { used, limit }]) => {
      return { unit: "Count", currentValue: used, limit, name: { value, localizedValue: value } };
    }),
  );
}

function route(method: Route["method"], path: string, version: string, answer: Route["answer"]): Route {
  return { method, path: new RegExp(`^${path}$`, "i"), version, answer };
}

/** Names of vaults and accounts that somebody has, in this subscription or another. */
function isTaken({ cloud }: Question, type: string, key: string, name: string): boolean {
  return cloud.taken.has(name) || cloud.ofType(type).some(({ inputs }) => text(inputs, key) === name);
}

const ROUTES: readonly Route[] = [
  route("GET", "", "2022-12-01", ({ cloud, cloud: { account, subscription, tenant } }) => ({
    status: 200,
    body: {
      id: subscription,
      subscriptionId: subscription.split("/")[2],
      tenantId: tenant,
      displayName: "baking",
      state: cloud.state,
      subscriptionPolicies: {
        locationPlacementId: "Public_2014-09-01",
        quotaId: account.quotaId,
        spendingLimit: account.spendingLimit,
      },
      authorizationSource: "RoleBased",
    },
  })),
  route("GET", "/locations", "2022-12-01", ({ cloud: { account, subscription } }) =>
    listed([
      ...account.regions.map((name) => ({
        id: `${subscription}/locations/${name}`,
        name,
        type: "Region",
        displayName: name,
        metadata: { regionType: "Physical", regionCategory: "Recommended" },
      })),
      { name: "europe", displayName: "Europe", metadata: { regionType: "Logical" } },
    ]),
  ),
  route("GET", "/resourceGroups/([^/]+)", "2021-04-01", ({ cloud, parts: [name = ""] }) => {
    const group = cloud.get(`${cloud.subscription}/resourceGroups/${name}`);
    if (group !== undefined) return { status: 200, body: { id: group.id, name, location: group.inputs.location } };
    return refused(404, "ResourceGroupNotFound", `Resource group '${name}' could not be found.`);
  }),
  route("GET", "/resourceGroups/([^/]+)/resources", "2021-04-01", ({ cloud, parts: [name = ""] }) => {
    const below = cloud.below(`${cloud.subscription}/resourceGroups/${name}`);
    return listed(below.map(({ id }) => ({ id, name: id.split("/").at(-1) })));
  }),
  route("GET", `${GROUP}${AUTHORIZATION}/permissions`, "2022-04-01", ({ cloud }) =>
    listed(cloud.account.permissions.map((one) => ({ ...one, dataActions: [], notDataActions: [] }))),
  ),
  route("GET", `${AUTHORIZATION}/locks`, "2020-05-01", ({ cloud }) => {
    const all = cloud.ofType(LOCK).map(({ id, inputs }) => {
      return { id, name: text(inputs, "lockName"), properties: { level: text(inputs, "level") } };
    });
    return listed(all);
  }),
  route("GET", "/providers", "2021-04-01", ({ cloud: { account } }) =>
    listed(
      Object.entries(NAMESPACES).map(([namespace, types]) => ({
        namespace,
        registrationState: account.unregistered.has(namespace) ? "NotRegistered" : "Registered",
        registrationPolicy: "RegistrationRequired",
        resourceTypes: Object.entries(types).map(([resourceType, versions]) => ({
          resourceType,
          apiVersions: versions.filter((version) => !account.ended.has(`${namespace}/${resourceType} ${version}`)),
        })),
      })),
    ),
  ),
  route("GET", "/providers/Microsoft\\.Network/locations/\\w+/usages", "2024-05-01", ({ cloud }) =>
    usages(cloud.account.network),
  ),
  route("GET", "/providers/Microsoft\\.Storage/locations/\\w+/usages", "2024-01-01", ({ cloud }) =>
    usages(cloud.account.storage),
  ),
  route("GET", "/providers/Microsoft\\.Storage/skus", "2024-01-01", ({ cloud: { account } }) => {
    const names = ["Standard_LRS", "Standard_ZRS", "Standard_GRS"].filter((name) => !account.absentCopies.has(name));
    return listed(
      names.flatMap((name) =>
        account.regions.map((region) => ({
          resourceType: "storageAccounts",
          name,
          tier: "Standard",
          kind: "StorageV2",
          locations: [region],
          capabilities: [],
          restrictions: account.refusedCopies.has(name)
            ? [{ type: "location", values: [region], reasonCode: "NotAvailableForSubscription" }]
            : [],
        })),
      ),
    );
  }),
  route("POST", "/providers/Microsoft\\.KeyVault/checkNameAvailability", "2024-11-01", (question) => {
    const name = text(question.body, "name");
    const held = question.cloud.softDeleted.has(name);
    if (!held && !isTaken(question, "azure-native:keyvault:Vault", "vaultName", name)) return available();
    return taken(`The vault name '${name}' is already in use.`);
  }),
  route("POST", "/providers/Microsoft\\.Storage/checkNameAvailability", "2024-01-01", (question) => {
    const name = text(question.body, "name");
    if (!isTaken(question, "azure-native:storage:StorageAccount", "accountName", name)) return available();
    return taken(`The storage account named ${name} is already taken.`);
  }),
  route("GET", "/providers/Microsoft\\.KeyVault/locations/(\\w+)/deletedVaults/([\\w-]+)", "2024-11-01", (question) => {
    const [location = "", name = ""] = question.parts;
    const { softDeleted, account } = question.cloud;
    const [vault] = softDeleted.get(name) ?? [];
    if (vault === undefined) return refused(404, "DeletedVaultNotFound", `The deleted vault '${name}' was not found.`);
    const dates = { deletionDate: "2026-11-20T10:00:00Z", scheduledPurgeDate: "2027-02-18T10:00:00Z" };
    const purgeProtectionEnabled = account.protectedVaults.has(name) ? { purgeProtectionEnabled: true } : {};
    const { tags } = vault.inputs;
    return { status: 200, body: { name, properties: { location, tags, ...dates, ...purgeProtectionEnabled } } };
  }),
  route("GET", ACTION_GROUP, "2023-01-01", ({ cloud, parts }) => {
    const group = actionGroup(cloud, parts);
    if (group === undefined) return refused(404, "ResourceNotFound", "The action group was not found.");
    const { emailReceivers, webhookReceivers, groupShortName, enabled } = group.inputs;
    // Azure says of each whether its owner still wants mail.
    const emails = list({ emailReceivers }, "emailReceivers").map((one) => ({ ...one, status: "Enabled" }));
    const properties = { groupShortName, enabled, emailReceivers: emails, webhookReceivers, smsReceivers: [] };
    return { status: 200, body: { id: group.id, name: parts[1], location: "Global", properties } };
  }),
  route("POST", `${ACTION_GROUP}/createNotifications`, "2023-01-01", ({ cloud, parts, body }) => {
    const group = actionGroup(cloud, parts);
    if (group === undefined) return refused(404, "ResourceNotFound", "The action group was not found.");
    const quota = cloud.account.quotaId;
    if (/^FreeTrial/.test(quota))
      return refused(403, "Forbidden", "Test notifications are not for free subscriptions.");
    if (!ALERT_TYPES.has(text(body, "alertType"))) return refused(400, "BadRequest", "alertType is not supported.");
    const receivers = [...list(body, "emailReceivers"), ...list(body, "webhookReceivers")];
    if (receivers.length === 0) return refused(400, "BadRequest", "At least one receiver is needed.");
    // What Azure alone writes is no part of a request.
    if (receivers.some((one) => "status" in one)) return refused(400, "BadRequest", "Could not find member 'status'.");
    cloud.account.notified.push(...receivers.map((one) => text(one, "name")));
    const location = `https://management.azure.com${group.id}/notificationStatus/11000222191287?api-version=2023-01-01`;
    return { status: 202, body: undefined, location };
  }),
  route("GET", `${ACTION_GROUP}/notificationStatus/\\d+`, "2023-01-01", ({ cloud: { account } }) => {
    const context = {
      notificationSource: "Microsoft.Insights/TestNotification",
      contextType: "Microsoft.Insights/Metric",
    };
    if (account.looksUntilNotified > 0) {
      account.looksUntilNotified -= 1;
      return { status: 200, body: { context, state: "Processing", actionDetails: [] } };
    }
    const actionDetails = account.notified.map((Name) => ({
      MechanismType: Name === "webhook" ? "Webhook" : "Email",
      Name,
      Status: account.unreached.has(Name) ? "Failed" : "Completed",
      SubState: "Default",
      SendTime: "2026-11-29T12:00:42.8620629+00:00",
      Detail: null,
    }));
    return { status: 200, body: { context, state: "Completed", actionDetails } };
  }),
  route(
    "POST",
    `${GROUP}/providers/Microsoft\\.PolicyInsights/checkPolicyRestrictions`,
    "2023-03-01",
    ({ cloud, body }) => {
      if (cloud.account.unregistered.has("Microsoft.PolicyInsights")) {
        const message = "The subscription is not registered to use namespace 'Microsoft.PolicyInsights'.";
        return refused(409, "MissingSubscriptionRegistration", message);
      }
      const [details] = list({ all: [(body as { resourceDetails?: unknown } | undefined)?.resourceDetails] }, "all");
      const content = details?.resourceContent as Content | undefined;
      if (content?.type === undefined) return refused(400, "InvalidCheckRestrictionsRequest", "No resourceContent.");
      const broken = cloud.account.policies.filter((policy) => policy.broken(content));
      return {
        status: 200,
        body: {
          fieldRestrictions: [],
          contentEvaluationResult: {
            policyEvaluations: broken.map(({ assignment, effect }) => ({
              policyInfo: { policyAssignmentId: assignment },
              evaluationResult: "NonCompliant",
              effectDetails: { policyEffect: effect },
            })),
          },
        },
      };
    },
  ),
];

function available(): Answer {
  return { status: 200, body: { nameAvailable: true } };
}

function taken(message: string): Answer {
  return { status: 200, body: { nameAvailable: false, reason: "AlreadyExists", message } };
}

/** Answers what is asked of the subscription itself. @returns undefined for anything else */
export function accountAnswer(
  cloud: Subscription,
  method: string,
  pathname: string,
  version: string,
  body: string,
): Answer | undefined {
  const path = pathname.slice(cloud.subscription.length).replace(/\/$/, "");
  for (const { answer, ...route } of ROUTES) {
    const match = route.path.exec(path);
    if (match === null || route.method !== method) continue;
    if (route.version !== version) {
      return refused(
        400,
        "NoRegisteredProviderFound",
        `The api-version ${version} is none of those that are supported.`,
      );
    }
    return answer({ cloud, parts: match.slice(1), body: body === "" ? undefined : JSON.parse(body) });
  }
  return undefined;
}
