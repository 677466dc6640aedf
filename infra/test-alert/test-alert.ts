/**
 * A test alert, sent by Azure to whom the stack's alerts go: Action Groups - Create Notifications At Action Group Resource
 * Level, and Get Test Notifications At Action Group Resource Level (Microsoft.Insights, 2023-01-01).
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { type Asker, begin, get } from "../arm/client.ts";

const VERSION = "2023-01-01";

/** What an alert on a metric looks like: most of the stack's are of this kind. */
const ALERT_TYPE = "metricstaticthreshold";

/** Receivers without what Azure alone writes, such as whether somebody has unsubscribed. */
const Group = z.object({
  properties: z.object({
    emailReceivers: z
      .array(z.object({ name: z.string(), emailAddress: z.string(), useCommonAlertSchema: z.boolean().optional() }))
      .default([]),
    webhookReceivers: z
      .array(z.object({ name: z.string(), serviceUri: z.string(), useCommonAlertSchema: z.boolean().optional() }))
      .default([]),
  }),
});

const Status = z.object({
  state: z.string().default(""),
  actionDetails: z
    .array(
      z.object({
        MechanismType: z.string().default(""),
        Name: z.string().default(""),
        Status: z.string().default(""),
        SubState: z.string().nullish(),
      }),
    )
    .nullish(),
});

/** What became of one receiver. */
export interface Sent {
  readonly receiver: string;
  readonly isSent: boolean;
  /** Azure's own words. */
  readonly says: string;
}

/** Azure goes on with it for so long, in milliseconds, and is asked as often. */
const PATIENCE_MS = 180_000;
const PAUSE_MS = 3_000;

/** There is nobody to send to: one sentence. */
export class NobodyTold extends Error {}

/**
 * Sends it.
 * @param id of the action group, as in `/subscriptions/…/actionGroups/NAME`
 * @throws NobodyTold; ArmRefusal, NoAnswer; Error where Azure does not end it
 */
export async function sendTestAlert(id: string, asker: Asker, pauseMs = PAUSE_MS): Promise<Sent[]> {
  const found = await get(`${id}?api-version=${VERSION}`, asker);
  if (found === undefined) {
    throw new NobodyTold(
      "Azure has no action group of this stack: `pulumi config set monitoring true`, and npm run up",
    );
  }
  const { emailReceivers, webhookReceivers } = read(Group, found, "the action group").properties;
  const names = [...emailReceivers, ...webhookReceivers].map(({ name }) => name);
  if (names.length === 0) {
    throw new NobodyTold(
      "alerts go to nobody: `pulumi config set alertEmail ADDRESS`, or alertWebhook, and npm run up",
    );
  }
  const body = { alertType: ALERT_TYPE, emailReceivers, webhookReceivers };
  const begun = await begin(`${id}/createNotifications?api-version=${VERSION}`, body, asker);
  const details = await ended(begun, asker, pauseMs);
  return names.map((name) => {
    const own = details.find((one) => one.Name === name);
    const says = own === undefined ? "Azure says nothing of it" : [own.Status, own.SubState].filter(Boolean).join(", ");
    return { receiver: name, isSent: /^(Completed|Succeeded)$/i.test(own?.Status ?? ""), says };
  });
}

async function ended(begun: Awaited<ReturnType<typeof begin>>, asker: Asker, pauseMs: number) {
  let answer = begun?.body;
  for (let waited = 0; waited <= PATIENCE_MS; waited += pauseMs) {
    const { state, actionDetails } = read(Status, answer ?? {}, "the test alert");
    if (/^(Completed|Succeeded|Failed)$/i.test(state)) return actionDetails ?? [];
    if (begun?.location === undefined) break;
    await sleep(pauseMs);
    answer = await get(begun.location, asker);
  }
  throw new Error("Azure does not say what became of the test alert: look whether it came, and try again");
}
