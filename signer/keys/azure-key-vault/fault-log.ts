import type { Logger } from "pino";
import { type Clock, RateLimit } from "../../rate-limit.ts";
import { VAULT_FAULTS, type VaultFault, type VaultFaultKind } from "./fault.ts";

/** How often one kind of fault may be written, in milliseconds. */
const INTERVAL = 10_000;

/** A kind of fault from its first occurrence until the vault has answered again. */
interface FaultEpisode {
  readonly since: number;
  readonly limit: RateLimit;
}

/**
 * Logs each kind of fault when it begins, then once in 10 seconds with the number left out, and writes one line when the
 * vault answers again: an outage of an hour is read in a minute.
 */
export class FaultLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #episodes = new Map<VaultFaultKind, FaultEpisode>();

  constructor(logger: Logger, clock: Clock = () => performance.now()) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Notes a fault. @param fields where it happened; never a token or a signature */
  fault(fault: VaultFault, fields: object): void {
    const known = this.#episodes.get(fault.kind);
    const episode = known ?? { since: this.#clock(), limit: new RateLimit(INTERVAL, this.#clock) };
    this.#episodes.set(fault.kind, episode);
    const more = episode.limit.pass();
    if (more === undefined) return;
    const { remedy } = VAULT_FAULTS[fault.kind];
    this.#logger.warn({ ...fields, fault: fault.kind, remedy, ...more }, fault.message);
  }

  /** Notes that a call succeeded: faults that were quiet for an interval are over. */
  success(): void {
    for (const [kind, { since, limit }] of this.#episodes) {
      if (!limit.isOpen) continue;
      this.#episodes.delete(kind);
      const seconds = Math.round((this.#clock() - since) / 1_000);
      this.#logger.info({ fault: kind, seconds, suppressed: limit.suppressed }, "the vault answers again");
    }
  }
}
