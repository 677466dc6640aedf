/**
 * Memoizes the last result of a computation on a list that seldom changes; the array's identity says whether it did.
 * @param compute pure
 */
export function memoizeLast<T>(compute: (list: readonly string[]) => T): (list: readonly string[]) => T {
  let last: { readonly list: readonly string[]; readonly result: T } | undefined;
  return (list) => {
    if (last?.list !== list) last = { list, result: compute(list) };
    return last.result;
  };
}
