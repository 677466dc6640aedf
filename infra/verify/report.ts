/**
 * What was verified, as a person reads it and as a script does. Pure.
 * @module
 */
import { lines } from "../preflight/report.ts";
import type { Row } from "../preflight/row.ts";
import { redacted } from "./redaction.ts";

/** What a verification has found. */
export interface Verification {
  readonly stack: string;
  readonly production: boolean;
  readonly location: string;
  /** Of the release in use. */
  readonly version: string;
  readonly now: Date;
  readonly rows: readonly Row[];
  /** It was ended in the middle. */
  readonly interrupted: boolean;
}

/** Takes out of every row what nobody else need know. */
export function withoutSecrets(verification: Verification): Verification {
  const rows = verification.rows.map(({ name, verdict, says, mend }) => {
    return { name, verdict, says: redacted(says), ...(mend === undefined ? {} : { mend: redacted(mend) }) };
  });
  return { ...verification, rows };
}

/** Writes the report. It names no place but the region. */
export function report(verification: Verification): string {
  const { stack, production, location, version, now, rows, interrupted } = withoutSecrets(verification);
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const kind = production ? "a production stack: nothing was made, and nothing written" : "a test stack";
  return [
    `Stack ${stack}, ${kind}. ${location}, version ${version}, ${now.toISOString().slice(0, 10)}.`,
    "",
    ...rows.flatMap((row) => lines(row, width)),
    "",
    sum(rows, interrupted),
  ].join("\n");
}

function sum(rows: readonly Row[], interrupted: boolean): string {
  const count = (verdict: Row["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
  const [wrong, unknown] = [count("not ok"), count("not known")];
  const counts = [
    `${count("ok")} of ${rows.length} ok`,
    ...(wrong > 0 ? [`${wrong} not ok`] : []),
    ...(unknown > 0 ? [`${unknown} not known`] : []),
  ];
  const next = interrupted
    ? ". It was ended before its end: the rows that are missing were not looked at"
    : wrong + unknown > 0
      ? '. Below each is what to do; docs/verify-on-azure.md, "What differs", says whom to tell'
      : "";
  return counts.join(", ") + next;
}
