import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";

/**
 * The pauses, in milliseconds, that this process begins while this is in scope: those of a request, which its deadline
 * ends, or those of what goes on beside requests, which keeps no process alive by its pauses.
 * @param lasting how long each of them lasts instead
 * @param isBeside whether those beside requests are noted
 */
export function notedPauses(
  lasting = (milliseconds: number | undefined) => milliseconds,
  isBeside = false,
): number[] & Disposable {
  const { setTimeout: real } = timers;
  const pauses: number[] = [];
  timers.setTimeout = (milliseconds, value, options) => {
    if (options?.signal === undefined || (options.ref === false) !== isBeside)
      return real(milliseconds, value, options);
    pauses.push(milliseconds ?? 0);
    return real(lasting(milliseconds), value, options);
  };
  syncBuiltinESMExports();
  return Object.assign(pauses, {
    [Symbol.dispose]: () => {
      timers.setTimeout = real;
      syncBuiltinESMExports();
    },
  });
}
