/** What a promise is rejected with, which must be of this class. */
export async function rejection<E extends Error>(
  promise: Promise<unknown>,
  kind: abstract new (...parameters: never[]) => E,
): Promise<E> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome && outcome.error instanceof kind) return outcome.error;
  throw new Error(`expected a ${kind.name}`, { cause: "error" in outcome ? outcome.error : outcome.value });
}
