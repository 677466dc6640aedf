/**
 * In the watermarks' table, as the machine: a row that is no watermark, taken away in the same breath.
 * @module
 */
import { type Check, notKnown, notOk, ok, type Row } from "../preflight/row.ts";
import { onMachine } from "./machine.ts";
import { STORAGE } from "./machine-rows.ts";
import type { Site } from "./site.ts";
import { type Answer, type Answers, came, type Step } from "./step.ts";
import { answered, assumed, PUT_BACK } from "./verdicts.ts";

function tableSteps({ table }: Site): Step[] {
  const headers = { "x-ms-version": "2019-02-02", Accept: "application/json;odata=minimalmetadata" };
  const common = { token: STORAGE, headers } as const;
  const row = `${table}(PartitionKey='try',RowKey='1')`;
  const body = (level: number) => ({ PartitionKey: "try", RowKey: "1", level });
  const remove = { ask: "DELETE", url: row, token: STORAGE, headers: { ...headers, "If-Match": "*" } } as const;
  const replace = {
    ask: "PUT",
    url: row,
    token: STORAGE,
    headers: { ...headers, "If-Match": "{etag}" },
    body: body(2),
  } as const;
  return [
    { name: "leftover", ...remove },
    {
      name: "made",
      ask: "POST",
      url: table,
      body: body(1),
      ...common,
      heads: ["ETag", "Date"],
      keep: { etag: "head:ETag" },
      clock: true,
    },
    { name: "made twice", ask: "POST", url: table, body: body(1), ...common },
    { name: "read", ask: "GET", url: row, ...common, pick: { etag: "odata~etag" } },
    { name: "replaced", ...replace },
    { name: "replaced twice", ...replace },
    { name: "speed", ask: "GET", url: row, ...common, times: 50 },
    {
      name: "shared key",
      ask: "GET",
      url: row,
      headers: { ...headers, Authorization: "SharedKey try:AAAA", "x-ms-date": "Thu, 01 Jan 2026 00:00:00 GMT" },
    },
    { name: "removed", ...remove },
  ];
}

/** Judges what the table told. */
export function tableRows(told: Answers): Row[] {
  const made = told("made");
  const made2 = told("made twice");
  const once = made.status === 201 && made.heads?.ETag !== undefined && made2.code === "EntityAlreadyExists";
  const replaced2 = told("replaced twice");
  const cas = told("replaced").status === 204 && replaced2.code === "UpdateConditionNotSatisfied";
  const etag = (told("read").picked as { etag?: unknown } | undefined)?.etag;
  const apart = Math.abs(Date.parse(made.heads?.Date ?? "") / 1_000 - (made.at ?? 0));
  const { median = Infinity } = told("speed");
  const key = told("shared key");
  return [
    made.status === 403
      ? notOk("row made once", `the machine may not write its table (${came(made)})`, PUT_BACK)
      : assumed(
          "row made once",
          once,
          "201 with an ETag, then 409 EntityAlreadyExists",
          `${came(made)}, then ${came(made2)}`,
        ),
    assumed(
      "row replaced once",
      cas,
      "204, then 412 UpdateConditionNotSatisfied",
      `${came(told("replaced"))}, then ${came(replaced2)}`,
    ),
    assumed(
      "row's mark",
      typeof etag === "string" && etag !== "",
      "odata.etag is in the body",
      "no odata.etag is in the body",
    ),
    assumed(
      "service's time",
      apart < 2,
      "it is the machine's, within two seconds",
      `it is ${Math.round(apart)} s from the machine's`,
    ),
    assumed(
      "table's speed",
      median < 50,
      `${median} ms in the middle of 50`,
      `${median} ms in the middle of 50: the signer waits 1,500`,
    ),
    sharedKey(key),
    told("removed").status === 204
      ? ok("row removed", "the row of this look is gone")
      : notOk("row removed", `the row of this look is still there (${came(told("removed"))})`, "npm run verify"),
  ];
}

function sharedKey(answer: Answer): Row {
  const name = "shared keys";
  if (answer.code === "AuthenticationFailed")
    return notKnown(name, "a wrong key is refused before it is told that none is taken");
  return answered(name, answer, { status: 403, code: "KeyBasedAuthenticationNotPermitted" }, "none is taken");
}

export const TABLE_ROWS: Check<Site> = {
  rows: [
    "row made once",
    "row replaced once",
    "row's mark",
    "service's time",
    "table's speed",
    "shared keys",
    "row removed",
  ],
  async examine(site) {
    return tableRows(await onMachine(site.machine, tableSteps(site)));
  },
};
