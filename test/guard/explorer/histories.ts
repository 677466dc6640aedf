import { deepStrictEqual, strictEqual } from "node:assert";
import { hash } from "node:crypto";
import type { Event, Outcome, Request } from "./messages.ts";
import { REAL, Run } from "./run.ts";

const REQUESTS: readonly Request[] = [
  { kind: "block", level: 1, round: 0, bytes: "X" },
  { kind: "block", level: 1, round: 0, bytes: "Y" },
  { kind: "attestation", level: 1, round: 0, bytes: "X" },
  { kind: "attestation", level: 1, round: 0, bytes: "X" },
  { kind: "block", level: 1, round: 0, bytes: "X" },
  { kind: "block", level: 2, round: 0, bytes: "Z" },
];

/** Numbers from 0 up to a limit, the same ones each time. */
function picker(seed: number): (limit: number) => number {
  let n = 0;
  return (limit) => hash("sha1", `${seed} ${n++}`, "buffer").readUInt32BE() % limit;
}

/** Something that a signer could be told, whatever came before. */
function someEvent(run: Run, sent: number, pick: (limit: number) => number): Event | undefined {
  const events: Event[] = run.calls.map(({ name, operation }) => {
    const outcomes: Outcome[] = [{ fault: "unavailable" }, { fault: "conflict" }];
    if (operation.does === "identity") outcomes.push({ value: "id" });
    else if (operation.does === "now") outcomes.push({ value: 1_700_000_000_000 });
    else if (operation.does === "sign") outcomes.push({ value: `s0of${operation.request.bytes}` });
    else if (operation.does === "read") {
      const row = { level: pick(2), round: 0, digest: "X", anchor: { level: 0, at: 1_700_000_000_000 } };
      outcomes.push({ value: { row, version: String(1 + row.level) } });
    } else outcomes.push({ value: "2" });
    // Most of the time nothing goes wrong.
    const outcome = outcomes[Math.max(pick(6), 2) === 2 ? pick(outcomes.length) : outcomes.length - 1];
    return { tells: "outcome", call: name, outcome: outcome ?? { fault: "unavailable" } };
  });
  if (pick(4) === 0) events.push(...run.deadlines.map((attempt): Event => ({ tells: "deadline", attempt })));
  const request = REQUESTS[sent];
  if (request !== undefined) events.push({ tells: "request", attempt: `${sent}.0`, request });
  return events[pick(events.length)];
}

/**
 * Random histories; where two of them lead to one state, both go on with the same events and must do the same.
 * @returns how many were taken for one that came before, and how many steps of two were compared
 * @throws AssertionError where they part
 */
export async function compareHistories(count: number): Promise<{ merged: number; compared: number }> {
  const first = new Map<string, readonly Event[]>();
  let merged = 0;
  let compared = 0;
  for (let n = 0; n < count; n += 1) {
    const pick = picker(n);
    const run = new Run(REAL, "always");
    const history: Event[] = [];
    const tellMore = async () => {
      const sent = history.filter(({ tells }) => tells === "request").length;
      const event = someEvent(run, sent, pick);
      if (event === undefined) return false;
      history.push(event);
      await run.tell([event]);
      return true;
    };
    for (let length = 3 + pick(18); length > 0 && (await tellMore()); length -= 1);
    const text = await run.describe();
    const before = first.get(text);
    if (before === undefined) first.set(text, [...history]);
    if (before === undefined || JSON.stringify(before) === JSON.stringify(history)) continue;
    merged += 1;
    const other = new Run(REAL, "always");
    await other.tell(before);
    for (let more = 0; more < 10 && (await tellMore()); more += 1) {
      await other.tell(history.slice(-1));
      strictEqual(await other.describe(), await run.describe());
      deepStrictEqual([other.calls, other.answers, other.complaint], [run.calls, run.answers, run.complaint]);
      compared += 1;
    }
  }
  return { merged, compared };
}
