import type { Clock } from "../rate-limit.ts";

/**
 * Makes a value one at a time, and no oftener than once in a while: whoever asks meanwhile waits for the one that is being
 * made, or gets the one before. What fails is made anew.
 * @param milliseconds that a value is kept once it is made
 */
export function atMostEvery<T>(
  milliseconds: number,
  make: () => Promise<T>,
  clock: Clock = () => performance.now(),
): () => Promise<T> {
  let kept: Promise<T> | undefined;
  let until = Number.POSITIVE_INFINITY;
  return () => {
    if (kept !== undefined && clock() < until) return kept;
    until = Number.POSITIVE_INFINITY;
    kept = make();
    kept.then(
      () => {
        until = clock() + milliseconds;
      },
      () => {
        kept = undefined;
      },
    );
    return kept;
  };
}
