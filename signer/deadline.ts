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
