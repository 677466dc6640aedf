/**
 * Plausible steps only: a leaky bucket for each mark, so that no single request can push a watermark to 2^31-1 and
 * stop a baker for ever. The bucket's bottom (the anchor) rises by one level a second, faster than any Tezos chain.
 * @module
 */
export interface Anchor {
  /** The highest level that is believed without doubt. */
  readonly level: number;
  /** When it was believed, in milliseconds since 1970. */
  readonly at: number;
}

const MILLISECONDS_PER_LEVEL = 1_000;

/** Levels that time alone has allowed since the anchor was set; none where the clock went back. */
function risen(anchor: Anchor, now: number): number {
  return Math.max(0, Math.floor((now - anchor.at) / MILLISECONDS_PER_LEVEL));
}

/**
 * The highest level that may be signed now.
 * @param maxStep levels allowed above what time explains
 */
export function highestPlausible(anchor: Anchor, maxStep: number, now: number): number {
  return anchor.level + risen(anchor, now) + maxStep;
}

/** The anchor after `level` was signed: raised by the time gone by, but never above what was signed. */
export function raise(anchor: Anchor, level: number, now: number): Anchor {
  const seconds = risen(anchor, now);
  if (level <= anchor.level + seconds) return { level, at: now };
  // The rest of a second is kept, or signatures less than a second apart would never raise the anchor; and an anchor
  // from a clock that was ahead must not stay in the future.
  return { level: anchor.level + seconds, at: Math.min(anchor.at, now) + seconds * MILLISECONDS_PER_LEVEL };
}
