import { mock } from "node:test";
import { setImmediate } from "node:timers/promises";

/** setTimeout of this process, moved on by hand. */
export interface FakeTimers extends Disposable {
  /** Lets so many milliseconds pass, and then what follows from it in this process happen. */
  tick(milliseconds: number): Promise<void>;
}

/** How often the event loop goes round after a tick: what a timer begins may take a few turns, over sockets too. */
const TURNS = 20;

/** Until it is disposed of, no timer of setTimeout ends by itself. Node's own, such as those of sockets, go on. */
export function fakeTimers(): FakeTimers {
  mock.timers.enable({ apis: ["setTimeout"] });
  return {
    async tick(milliseconds) {
      mock.timers.tick(milliseconds);
      for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
    },
    [Symbol.dispose]: () => mock.timers.reset(),
  };
}
