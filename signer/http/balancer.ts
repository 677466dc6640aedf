import type { IncomingMessage, ServerResponse } from "node:http";
import { plainAddress } from "../admission/address-allow-list.ts";
import { PROBE } from "../contract.ts";
import { SignerError } from "../errors.ts";
import type { BalancerState } from "../observability/balancer-state.ts";
import { writeError } from "./error-response.ts";

/** A balancer that has not asked for so long is none, milliseconds: three of its looks. */
const GONE = 3 * PROBE.interval * 1_000;

/** So often it has heard that nothing new is to come before that is relied on: once more than it needs itself. */
const HEARD = PROBE.threshold + 1;

/** Why nothing new is to come here, and how far that has got. */
interface Leaving {
  readonly reason: string;
  /** Whether the balancer is told so: it is not where no other machine takes what is new. */
  readonly isTold: boolean;
  /** The machine goes down: it does not come back. */
  isForGood: boolean;
  /** How often the balancer has asked since. */
  heard: number;
  readonly left: PromiseWithResolvers<void>;
}

/** Azure's balancer as the signer meets it: one address, which asks whether the signer is ready, and is told nothing else. */
export class Balancer {
  readonly #ready: () => boolean;
  readonly #now: () => number;
  readonly #look: number;
  #asked: { readonly at: number; readonly ready: boolean; readonly times: number } | undefined;
  #leaving: Leaving | undefined;

  /**
   * @param ready whether a signature can be had now
   * @param now milliseconds since 1970
   * @param look between two looks whether it still asks, milliseconds
   */
  constructor(ready: () => boolean, now: () => number = Date.now, look = 1_000) {
    this.#ready = ready;
    this.#now = now;
    this.#look = look;
  }

  /** Answers what comes from the balancer's address. @returns whether it did; all else is the app's */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    if (plainAddress(request.socket.remoteAddress) !== PROBE.from) return false;
    if (request.method !== "GET" || request.url !== PROBE.path) {
      // Whoever can send from the address of the machine's own host gets nothing by it.
      request.resume();
      writeError(
        response,
        new SignerError("address-not-allowed", `${PROBE.from} is the balancer's: GET ${PROBE.path}`),
      );
      return true;
    }
    const ready = this.#leaving?.isTold !== true && this.#ready();
    this.#note(ready);
    response.shouldKeepAlive = false;
    response.writeHead(ready ? 200 : 503, { "Content-Type": "text/plain" });
    response.end(ready ? "ready\n" : "not ready\n");
    return true;
  }

  /** Whether a balancer asks here. */
  get asks(): boolean {
    return this.#asked !== undefined && this.#now() - this.#asked.at < GONE;
  }

  /** Whether it sends here what is new: it has heard often enough that the signer is ready, and is to hear nothing else. */
  get sends(): boolean {
    const { ready = false, times = 0 } = this.#asked ?? {};
    return this.asks && ready && times >= PROBE.threshold && this.#leaving === undefined;
  }

  /** Whether each answer is to be the last one on its connection. */
  get isLeaving(): boolean {
    return this.#leaving !== undefined;
  }

  /**
   * Says from now on that the signer is not ready, so that what is new goes to the other machine; whoever comes all the same
   * is served. @returns a promise of its having been heard; fulfilled where nobody asks, or nobody does any more
   */
  leave(reason: string): Promise<void> {
    return this.#leave(reason, true);
  }

  /**
   * Says the same for good, since the machine goes down.
   * @param isRelieved whether another machine takes what is new; where none does, it is ready to its end, and nothing is waited for
   */
  goDown(isRelieved: boolean): Promise<void> {
    const left = this.#leave("the machine goes down", isRelieved);
    if (this.#leaving !== undefined) this.#leaving.isForGood = true;
    return left;
  }

  /** Says again whether it is ready, unless the machine goes down. */
  stay(): void {
    if (this.#leaving === undefined || this.#leaving.isForGood) return;
    this.#leaving.left.resolve();
    this.#leaving = undefined;
  }

  #leave(reason: string, isTold: boolean): Promise<void> {
    const heard = isTold ? 0 : HEARD;
    this.#leaving ??= { reason, isTold, isForGood: false, heard, left: Promise.withResolvers<void>() };
    const { left } = this.#leaving;
    const giveUp = () => (this.asks && this.#leaving?.isTold === true) || left.resolve();
    giveUp();
    const timer = setInterval(giveUp, this.#look);
    timer.unref();
    return left.promise.finally(() => clearInterval(timer));
  }

  /** What /status shows; null where no balancer asks. */
  look(): BalancerState | null {
    if (this.#asked === undefined || !this.asks) return null;
    const { at, ready, times } = this.#asked;
    const { reason = null, heard = 0 } = this.#leaving ?? {};
    return { askedAt: new Date(at).toISOString(), ready, times, leaving: reason, left: heard >= HEARD };
  }

  #note(ready: boolean): void {
    const times = this.#asked?.ready === ready && this.asks ? this.#asked.times + 1 : 1;
    this.#asked = { at: this.#now(), ready, times };
    if (this.#leaving === undefined) return;
    this.#leaving.heard += 1;
    if (this.#leaving.heard >= HEARD) this.#leaving.left.resolve();
  }
}
