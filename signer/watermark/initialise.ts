/**
 * When a missing record may be taken for a first run. Missing state is otherwise a hard stop: signers elsewhere were
 * slashed because a lost database was taken for an empty one.
 * @module
 */
import { HIGHEST_ROUND } from "./decision.ts";
import type { Row } from "./stores/store.ts";

/** The setting: a floor and a time, or `always` on test networks. */
export type Initialise = "always" | InitialiseWindow;

export interface InitialiseWindow {
  /** By a row that is made, nothing below this level is ever signed; a row that is there is left as it is. */
  readonly level: number;
  /** Until when a missing row may be made, in milliseconds since 1970, by the store's own clock. */
  readonly until: number;
}

const LONGEST_WINDOW = 24 * 60 * 60 * 1_000;

/** Says why the window does not allow a row to be made at `now` (the store's clock); undefined where it does. */
export function windowClosedReason(window: InitialiseWindow | undefined, now: number): string | undefined {
  if (window === undefined) return "`watermarks.initialise` is not set";
  const until = new Date(window.until).toISOString();
  if (now > window.until) return `\`watermarks.initialise.until\` (${until}) has passed`;
  if (window.until - now > LONGEST_WINDOW) {
    return `\`watermarks.initialise.until\` (${until}) is more than 24 hours ahead`;
  }
  return undefined;
}

/**
 * Makes the first row of a chain, key and kind: just below the floor, by unknown bytes, so that nothing at or below it
 * is signed.
 * @param now the signer's clock, milliseconds since 1970
 */
export function floorRow(window: InitialiseWindow, now: number): Row {
  return { level: window.level - 1, round: HIGHEST_ROUND, anchor: { level: window.level, at: now } };
}
