/**
 * A preflight as a person reads it, and as a script does. Pure.
 * @module
 */
import type { Preflight } from "./preflight.ts";
import type { Row } from "./row.ts";

/** Writes the report: what is not ok has the command that mends it on a line of its own, to be copied. */
export function report({ stack, subscription, rows }: Preflight): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [
    `Stack ${stack}, subscription ${subscription}. Nothing was changed.`,
    "",
    ...rows.flatMap((row) => lines(row, width)),
    "",
    sum(rows),
  ].join("\n");
}

/** Writes a row in one line, or two. */
export function lines({ name, verdict, says, mend }: Row, width: number): string[] {
  const line = `  ${verdict.padEnd("not known".length)}  ${name.padEnd(width)}  ${plain(says)}`;
  return mend === undefined ? [line] : [line, `${" ".repeat(width + 15)}${plain(mend)}`];
}

/** Leaves out what a terminal would obey: names come from Azure. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "?");
}

function sum(rows: readonly Row[]): string {
  const count = (verdict: Row["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
  const [wrong, unknown] = [count("not ok"), count("not known")];
  const all = `${count("ok")} of ${rows.length} ok`;
  if (wrong > 0) return `${all}, ${wrong} not ok: type the command below each, then ask again`;
  return unknown > 0 ? `${all}, ${unknown} not known` : `${all}: npm run up`;
}

/** Returns the exit code: 1 where something is not ok, 4 where only something is not known, else 0. */
export function codeOf({ rows }: Pick<Preflight, "rows">): number {
  if (rows.some(({ verdict }) => verdict === "not ok")) return 1;
  return rows.some(({ verdict }) => verdict === "not known") ? 4 : 0;
}
