import type { Settings } from "../../settings/schema.ts";
import { highestPlausible } from "../../watermark/anchor.ts";
import { HIGHEST_ROUND, positionInWords } from "../../watermark/decision.ts";
import type { Row } from "../../watermark/stores/store.ts";

/** Describes a row in words. */
export function describe(row: Row): string {
  const { level, round, digest, signature } = row;
  const what = digest === undefined ? "by unknown bytes" : `by ${digest.slice(0, 16)}…`;
  // A floor stands just below the first level that may be signed.
  if (digest === undefined && round === HIGHEST_ROUND) return `the floor below level ${level + 1}`;
  return `${positionInWords(row)}, ${what}${signature === undefined ? "" : ", signature kept"}`;
}

/** Says how high a level the guard would sign by a row now. @param now milliseconds since 1970 */
export function reach(row: Row, pace: Settings["watermarks"], now: number): string {
  const highest = highestNow(row, pace, now);
  return highest === undefined ? "up to any level now" : `up to level ${highest} now`;
}

/** Returns the highest level that the guard would sign by a row now; undefined for any. @param now milliseconds since 1970 */
export function highestNow(
  { anchor }: Row,
  { maxStep, minimalBlockDelay }: Settings["watermarks"],
  now: number,
): number | undefined {
  return maxStep === "off" ? undefined : highestPlausible(anchor, maxStep, now, minimalBlockDelay);
}
