import type { OtherMachines } from "./other-machines.ts";

/** The balancer, as it is left. */
interface LeftBalancer {
  /** Whether one asks here. */
  readonly asks: boolean;
  readonly isLeaving: boolean;
  leave(reason: string): Promise<void>;
  goDown(isRelieved: boolean): Promise<void>;
  stay(): void;
}

interface DepartureParts {
  readonly balancer: LeftBalancer;
  readonly others: Pick<OtherMachines, "isRelieved" | "relieve" | "exchange">;
  /** Closes connections on which nothing comes. */
  closeQuiet(): Promise<void>;
}

/** How a machine leaves the balancer in front of it, and comes back. */
export class Departure {
  readonly #parts: DepartureParts;

  constructor(parts: DepartureParts) {
    this.#parts = parts;
  }

  /** Whether a balancer asks here, which may have another machine to send to. */
  get isBalanced(): boolean {
    return this.#parts.balancer.asks;
  }

  /**
   * Has the balancer send nothing new here, for as long as the machine does not stay, where another one takes that; whoever
   * comes all the same is served, on a connection that is closed after the answer.
   * @returns whether it has left: once the balancer has heard it and idle connections are closed
   */
  async leave(reason: string): Promise<boolean> {
    const { balancer, others } = this.#parts;
    if (!balancer.isLeaving) {
      if (!others.isRelieved) return false;
      void balancer.leave(reason); // so that the note says it
      if (!(await others.relieve())) {
        this.stay();
        return false;
      }
    }
    await balancer.leave(reason);
    await this.#parts.closeQuiet();
    return true;
  }

  /** Has the balancer send here again. */
  stay(): void {
    const { balancer, others } = this.#parts;
    balancer.stay();
    void others.exchange(); // the other one may have waited for it
  }

  /** Leaves for good, since the machine goes down; where no other one takes what is new, it serves to its end. */
  async goDown(): Promise<void> {
    const { balancer, others } = this.#parts;
    await others.exchange(); // the other one may be back since the last look
    const left = balancer.goDown(others.isRelieved);
    void others.exchange(); // it may be about to leave
    await left;
    await this.#parts.closeQuiet();
  }
}
