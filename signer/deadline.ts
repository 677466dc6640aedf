/**
 * Waits for a promise, but no longer than the signal allows: what comes later is dropped, rejections too.
 * @throws what `late` makes, once the signal ends
 */
export function within<T>(promise: Promise<T>, signal: AbortSignal, late: () => Error): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    return Promise.reject(late());
  }
  return new Promise((resolve, reject) => {
    const end = () => reject(late());
    signal.addEventListener("abort", end, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", end));
  });
}

/** Waits until a promise is settled or the signal ends. Never rejects. */
export async function settled(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  await within(promise, signal, () => new Error("late")).catch(() => undefined);
}

/**
 * Waits until a promise is settled, but no longer than so many milliseconds. Never rejects. Unlike AbortSignal.timeout it
 * keeps the process alive meanwhile.
 * @param signal ends the wait too
 */
export async function settledWithin(
  promise: Promise<unknown>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const time = new AbortController();
  const timer = setTimeout(() => time.abort(), milliseconds);
  await settled(promise, signal === undefined ? time.signal : AbortSignal.any([signal, time.signal]));
  clearTimeout(timer);
}
