import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";

/**
 * The pauses, in milliseconds, that this process begins while this is in scope: those of a request, which its deadline
 * ends. What goes on beside requests keeps no process alive by its pauses, and is not noted.
 */
export function notedPauses(): number[] & Disposable {
  const { setTimeout: real } = timers;
  const pauses: number[] = [];
  timers.setTimeout = (milliseconds, value, options) => {
    if (options?.signal !== undefined && options.ref !== false) pauses.push(milliseconds ?? 0);
    return real(milliseconds, value, options);
  };
  syncBuiltinESMExports();
  return Object.assign(pauses, {
    [Symbol.dispose]: () => {
      timers.setTimeout = real;
      syncBuiltinESMExports();
    },
  });
}
