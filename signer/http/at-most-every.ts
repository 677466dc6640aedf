import type { Clock } from "../rate-limit.ts";

/**
 * Makes a value no oftener than once in a while: whoever asks meanwhile gets the one before, or waits for the one that is
 * being made. What fails is made anew.
 * @param milliseconds that a value is kept
 */
export function atMostEvery<T>(
  milliseconds: number,
  make: () => Promise<T>,
  clock: Clock = () => performance.now(),
): () => Promise<T> {
  let kept: { readonly until: number; readonly value: Promise<T> } | undefined;
  return () => {
    if (kept !== undefined && clock() < kept.until) return kept.value;
    const value = make();
    const own = { until: clock() + milliseconds, value };
    kept = own;
    value.catch(() => {
      if (kept === own) kept = undefined;
    });
    return value;
  };
}
