/**
 * The arithmetic of the measurements. Pure.
 * @module
 */

/** Returns the value below which a share of the values lies (nearest rank); NaN of none. @param share 0 to 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.ceil(sorted.length * share - 1e-9); // 0.55 of 100 is a little more than 55
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN;
}

/** Returns the middle of the values, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [above, below] = [sorted[middle] ?? Number.NaN, sorted[middle - 1] ?? Number.NaN];
  return sorted.length % 2 === 1 ? above : (above + below) / 2;
}

/** What one value was over the repetitions. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Sums up one value of each repetition. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Fewer requests than this are no base for a quantile: one in a hundred needs a few hundreds. */
const ENOUGH = [
  [0.999, 2_000],
  [0.99, 100],
  [0, 3],
] as const;

/** Returns a quantile of all repetitions together; undefined where there are too few values for it. */
export function quantileOrNone(values: readonly number[], share: number): number | undefined {
  const [, least = 0] = ENOUGH.find(([from]) => share >= from) ?? [];
  return values.length < least ? undefined : quantile(values, share);
}

/**
 * Computes what one who is asked adds to who is asked alone, at a quantile: the difference within each repetition, so that what
 * slowed a whole repetition is in neither.
 * @param repetitions the times of both, in milliseconds
 */
export function added(
  repetitions: readonly { readonly alone: readonly number[]; readonly own: readonly number[] }[],
  share: number,
): Spread {
  return spread(repetitions.map(({ alone, own }) => quantile(own, share) - quantile(alone, share)));
}

/** A point of a distribution: the share of requests that took no longer. */
export interface Point {
  readonly milliseconds: number;
  readonly share: number;
}

/** Describes a distribution by as many points, at even distances in rank. */
export function distribution(values: readonly number[], points: number): readonly Point[] {
  const shares = Array.from({ length: points }, (_, index) => (index + 0.5) / points);
  return shares.map((share) => ({ milliseconds: quantile(values, share), share }));
}
