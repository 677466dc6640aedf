/**
 * Memoizes a computation on lists of the settings, for as long as a list is in use. Settings are replaced whole, so a list's
 * identity says whether it is another one.
 * @param compute pure
 */
export function memoize<T>(compute: (list: readonly string[]) => T): (list: readonly string[]) => T {
  const results = new WeakMap<readonly string[], { readonly result: T }>();
  return (list) => {
    const known = results.get(list);
    if (known !== undefined) return known.result;
    const result = compute(list);
    results.set(list, { result });
    return result;
  };
}
