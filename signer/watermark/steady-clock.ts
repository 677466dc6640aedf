import { uptime } from "node:os";

/**
 * Makes a clock that never runs ahead of the time that has gone by since this process started: a computer's clock that
 * jumps ahead would make any level plausible, for one request or for ever. Where it goes back, this one goes with it, and
 * does not jump with its return. Time
 * counts while the computer sleeps. One that stood still, as a machine brought back from a snapshot, is believed after a restart.
 * @param wall the computer's clock, milliseconds since 1970
 * @param elapsed what cannot be set, in milliseconds
 * @returns milliseconds since 1970
 */
export function steadyClock(wall: () => number = Date.now, elapsed = () => uptime() * 1_000): () => number {
  let start = wall() - elapsed();
  return () => {
    start = Math.min(start, wall() - elapsed());
    return Math.ceil(start + elapsed());
  };
}
