import type { Logger } from "pino";
import { VAULT_FAULTS, type VaultFault, type VaultFaultKind } from "./fault.ts";

/** How often one kind of fault may be written, in milliseconds. */
const INTERVAL = 10_000;

interface Bout {
  readonly since: number;
  writtenAt: number;
  suppressed: number;
}

/**
 * Writes each kind of fault when it begins, then once in 10 seconds with the number left out, and one line when the
 * vault answers again: an outage of an hour is read in a minute.
 */
export class FaultLog {
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #bouts = new Map<VaultFaultKind, Bout>();

  /** @param now monotonic clock in milliseconds */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  /** @param fields where it happened; never a token or a signature */
  fault(fault: VaultFault, fields: object): void {
    const now = this.#now();
    const bout = this.#bouts.get(fault.kind) ?? { since: now, writtenAt: Number.NEGATIVE_INFINITY, suppressed: 0 };
    this.#bouts.set(fault.kind, bout);
    if (now < bout.writtenAt + INTERVAL) {
      bout.suppressed += 1;
      return;
    }
    const suppressed = bout.suppressed === 0 ? {} : { suppressed: bout.suppressed };
    this.#logger.warn(
      { ...fields, fault: fault.kind, cure: VAULT_FAULTS[fault.kind].cure, ...suppressed },
      fault.message,
    );
    bout.writtenAt = now;
    bout.suppressed = 0;
  }

  /** A call succeeded: faults that were quiet for an interval are over. */
  success(): void {
    const now = this.#now();
    for (const [kind, bout] of this.#bouts) {
      if (now < bout.writtenAt + INTERVAL) continue;
      this.#bouts.delete(kind);
      const seconds = Math.round((now - bout.since) / 1_000);
      this.#logger.info({ fault: kind, seconds, suppressed: bout.suppressed }, "the vault answers again");
    }
  }
}
