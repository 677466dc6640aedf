/**
 * The subscription itself: its state, its offer, and whether it has the region.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { all, get } from "../arm/client.ts";
import { word } from "../arm/word.ts";
import { type Check, type Facts, notKnown, notOk, ok, type Row, same } from "./row.ts";

/** Subscriptions - Get (Microsoft.Resources, 2022-12-01). */
const VERSION = "2022-12-01";

const Subscription = z.object({
  displayName: z.string().optional(),
  state: z.string(),
  subscriptionPolicies: z.object({ quotaId: z.string().optional(), spendingLimit: z.string().optional() }).optional(),
});

const Location = z.object({ name: z.string(), metadata: z.object({ regionType: z.string().optional() }).optional() });

type Subscription = z.output<typeof Subscription>;

const BILLING = "https://portal.azure.com/#view/Microsoft_Azure_Billing/SubscriptionsBlade";

/** In these the service works on (cost-management-billing, subscription-states). */
const WORKS = new Map([
  ["Enabled", "it is enabled"],
  ["Warned", "it works, and Azure warns: it will be disabled, so look into your mail"],
  ["PastDue", "it works, and a bill is overdue: it will be disabled"],
]);

/** Judges the state. */
export function state({ state, displayName = "" }: Subscription): Row {
  const works = WORKS.get(state);
  if (works !== undefined) return ok("subscription", [displayName, works].filter((text) => text !== "").join(": "));
  const says = `${displayName} is ${state}: nothing can be made in it. Enable it at ${BILLING}, or take another one`;
  return notOk("subscription", says, "az account set --subscription NAME");
}

/** Judges the offer: one with a spending limit stops everything in it when its credit is used up. */
export function offer({ subscriptionPolicies }: Subscription, production: boolean): Row {
  const { quotaId = "", spendingLimit = "Off" } = subscriptionPolicies ?? {};
  if (quotaId === "") return notKnown("offer", "Azure does not name the offer");
  if (spendingLimit !== "On") return ok("offer", quotaId);
  const stops = `${quotaId} has a spending limit: when its credit is used up, Azure stops the machine`;
  if (!production) return ok("offer", `${stops}. For a test stack that may do`);
  return notOk(
    "offer",
    `${stops}, and nothing is signed. Remove the limit at ${BILLING}, or take another subscription`,
    "az account set --subscription NAME",
  );
}

/** Judges the region. @param names those that the subscription has */
export function region(names: readonly string[], location: string): Row {
  if (names.some((name) => same(name, location))) return ok("region", location);
  const [other = "northeurope"] = names;
  return notOk("region", `this subscription has no region ${location}`, `pulumi config set location ${word(other)}`);
}

export const SUBSCRIPTION: Check = {
  rows: ["subscription", "offer"],
  async examine({ subscription, asker, settings }: Facts) {
    const path = `${subscription}?api-version=${VERSION}`;
    const found = read(Subscription, await get(path, asker), "the subscription");
    return [state(found), offer(found, settings.production)];
  },
};

export const REGION: Check = {
  rows: ["region"],
  async examine({ subscription, asker, settings }: Facts) {
    const found = await all(`${subscription}/locations?api-version=${VERSION}`, asker);
    const locations = read(z.array(Location), found, "the list of regions");
    const physical = locations.filter(({ metadata }) => (metadata?.regionType ?? "Physical") === "Physical");
    return [
      region(
        physical.map(({ name }) => name),
        settings.location,
      ),
    ];
  },
};
