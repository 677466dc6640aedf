/**
 * Plausible steps only: a leaky bucket for each mark, so that no single request can push a watermark to 2^31-1 and
 * stop a baker for ever. The bucket's bottom (the anchor) rises by one level in each `minimalBlockDelay`: a second unless
 * the settings know the chain's own, so that a protocol with shorter blocks stops nobody.
 * @module
 */
export interface Anchor {
  /** The highest level that is accepted without the step limit. */
  readonly level: number;
  /** When it was believed, in milliseconds since 1970. */
  readonly at: number;
}

/** Levels that time alone has allowed since the anchor was set; none where the clock went back. */
function risen(anchor: Anchor, now: number, minimalBlockDelay: number): number {
  return Math.max(0, Math.floor((now - anchor.at) / (minimalBlockDelay * 1_000)));
}

/**
 * Returns the highest level that may be signed now.
 * @param maxStep levels allowed above what time explains
 * @param now milliseconds since 1970
 * @param minimalBlockDelay seconds that a level takes at the fastest
 */
export function highestPlausible(anchor: Anchor, maxStep: number, now: number, minimalBlockDelay: number): number {
  return anchor.level + risen(anchor, now, minimalBlockDelay) + maxStep;
}

/**
 * Returns the anchor after `level` was signed: raised by the time gone by, but never above what was signed.
 * @param now milliseconds since 1970
 * @param minimalBlockDelay seconds that a level takes at the fastest
 */
export function raise(anchor: Anchor, level: number, now: number, minimalBlockDelay: number): Anchor {
  const levels = risen(anchor, now, minimalBlockDelay);
  if (level <= anchor.level + levels) return { level, at: now };
  // The rest of a delay is kept, or signatures less than one apart would never raise the anchor; and an anchor from a
  // clock that was ahead must not stay in the future.
  return { level: anchor.level + levels, at: Math.min(anchor.at, now) + levels * minimalBlockDelay * 1_000 };
}
