import type { Logger } from "pino";
import { type Clock, RateLimit } from "../rate-limit.ts";

/** How often one kind of fault may be written, in milliseconds. */
const INTERVAL = 10_000;

/** What is told of a fault of a backend. */
export interface BackendFault {
  readonly kind: string;
  /** In words that hold no token, no PIN and no signature. */
  readonly message: string;
  /** What the operator does. */
  readonly remedy: string;
}

/** A kind of fault from its first occurrence until the backend has answered again. */
interface FaultEpisode {
  readonly since: number;
  readonly limit: RateLimit;
}

/**
 * Logs each kind of fault when it begins, then once in 10 seconds with the number left out, and writes one line when the
 * backend answers again: an outage of an hour is read in a minute.
 */
export class FaultLog {
  readonly #logger: Logger;
  readonly #backend: string;
  readonly #clock: Clock;
  readonly #episodes = new Map<string, FaultEpisode>();
  readonly #counts = new Map<string, number>();
  #answeredAt: number | undefined;

  /** @param backend what answers again, such as "the vault" */
  constructor(logger: Logger, backend: string, clock: Clock = () => performance.now()) {
    this.#logger = logger;
    this.#backend = backend;
    this.#clock = clock;
  }

  /** How many faults of each kind there were. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** When the backend last answered a call as it should, in milliseconds since 1970; undefined before that. */
  get answeredAt(): number | undefined {
    return this.#answeredAt;
  }

  /** Notes a fault. @param fields where it happened; never a token or a signature */
  fault({ kind, message, remedy }: BackendFault, fields: object): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    const known = this.#episodes.get(kind);
    const episode = known ?? { since: this.#clock(), limit: new RateLimit(INTERVAL, this.#clock) };
    this.#episodes.set(kind, episode);
    const more = episode.limit.pass();
    if (more === undefined) return;
    this.#logger.warn({ ...fields, fault: kind, remedy, ...more }, message);
  }

  /** Notes that a call succeeded: faults that were quiet for an interval are over. */
  success(): void {
    this.#answeredAt = Date.now();
    for (const [kind, { since, limit }] of this.#episodes) {
      if (!limit.isOpen) continue;
      this.#episodes.delete(kind);
      const seconds = Math.round((this.#clock() - since) / 1_000);
      this.#logger.info({ fault: kind, seconds, suppressed: limit.suppressed }, `${this.#backend} answers again`);
    }
  }
}
