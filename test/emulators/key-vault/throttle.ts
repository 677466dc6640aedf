/** What the service counts together; the figures are of one vault in one region (service-limits page). */
export interface Limits {
  /** Creations of HSM keys in 10 seconds. */
  readonly hsmCreate: number;
  /** Creations of software keys in 10 seconds. */
  readonly softwareCreate: number;
  /** All other operations on HSM keys in 10 seconds. */
  readonly hsm: number;
  /** All other operations on software keys, and lists, in 10 seconds. */
  readonly software: number;
}

export const AZURE_LIMITS: Limits = { hsmCreate: 10, softwareCreate: 20, hsm: 2_000, software: 4_000 };

const WINDOW_MS = 10_000;

/** Counts requests in a sliding window of 10 seconds. A refused request does not count. */
export class Throttle {
  limits: Limits;
  readonly #seen: Record<keyof Limits, number[]> = { hsmCreate: [], softwareCreate: [], hsm: [], software: [] };

  constructor(limits: Limits) {
    this.limits = limits;
  }

  admits(bucket: keyof Limits): boolean {
    const now = Date.now();
    const seen = this.#seen[bucket];
    while (seen[0] !== undefined && seen[0] <= now - WINDOW_MS) seen.shift();
    if (seen.length >= this.limits[bucket]) return false;
    seen.push(now);
    return true;
  }
}
