/**
 * How an assumption is judged. Pure.
 * @module
 */
import { notKnown, notOk, ok, type Row } from "../preflight/row.ts";
import { type Answer, came } from "./step.ts";

/** Where Azure is otherwise than this project assumes, nothing on this computer mends it. */
export const TELL = 'docs/verify-on-azure.md, "What differs"';

/** What stands is put back to what the configuration says; Pulumi alone would not notice that it is otherwise. */
export const PUT_BACK = "npm run up -- --refresh";

/** Judges Azure: what it should be is `says` where it holds, and what came where it does not. */
export function assumed(name: string, holds: boolean, says: string, otherwise: string): Row {
  return holds ? ok(name, says) : notOk(name, otherwise, TELL);
}

/**
 * Judges one answer of Azure's.
 * @param status that is expected, and with it `code`, the error's or its inner one
 */
export function answered(name: string, answer: Answer, expected: { status: number; code?: string }, says: string): Row {
  if (answer.status === 0) return notKnown(name, came(answer));
  const { status, code } = expected;
  const holds = answer.status === status && (code === undefined || [answer.code, answer.inner].includes(code));
  return assumed(name, holds, says, `${came(answer)} came, and not ${[status, code].filter(Boolean).join(" ")}`);
}
