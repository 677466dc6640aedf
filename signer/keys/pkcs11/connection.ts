import { setTimeout as sleep } from "node:timers/promises";
import { settled, within } from "../../deadline.ts";
import type { FaultLog } from "../fault-log.ts";
import { TokenFault } from "./fault.ts";
import type { QuestionName, Questions, TokenPlace, TokenView } from "./messages.ts";
import { type Pin, readPin } from "./pin.ts";
import { TokenWorker } from "./worker.ts";

/** Pauses before another connection is made, by how many failed since an answer came; the last one is kept. In milliseconds. */
const PAUSES = [0, 250, 500, 1_000, 2_000, 5_000] as const;

/** A question, and a connection that serves it: once on the one that is there, and once more on a new one. */
const TRIES = 2;

export interface TokenConnectionOptions {
  readonly place: TokenPlace;
  /** File that holds the PIN. */
  readonly pinFile: string;
  readonly log: FaultLog;
  /** How long the library may take for one answer before its process is ended, in milliseconds. */
  readonly patience: number;
  /** Told what each new connection found, before anything else is asked on it. */
  readonly onView: (view: TokenView) => void;
}

/** A worker that is logged in. */
interface Open {
  readonly worker: TokenWorker;
}

/**
 * The way to a token. One that is lost, by whatever fault, is made anew: another process, another login, another search for
 * the keys. A PIN that was refused is not tried again until its file is another.
 */
export class TokenConnection {
  readonly #options: TokenConnectionOptions;
  readonly #closed = new AbortController();
  #opening: Promise<Open> | undefined;
  #failures = 0;
  #refused: { readonly pin: Pin; readonly fault: TokenFault } | undefined;
  #lastFault: TokenFault | undefined;

  constructor(options: TokenConnectionOptions) {
    this.#options = options;
  }

  /** The fault that stands: why nothing can be asked now; undefined once something was answered. */
  get fault(): TokenFault | undefined {
    return this.#lastFault;
  }

  /**
   * Asks the token, on a new connection where the one that was there fails.
   * @param signal ends the wait; what the library answers later is dropped
   * @throws TokenFault
   */
  async ask<Name extends QuestionName>(
    name: Name,
    ask: Questions[Name]["ask"],
    signal: AbortSignal,
  ): Promise<Questions[Name]["answer"]> {
    const late = () => this.#lastFault ?? new TokenFault("timeout", "It did not answer before the request's deadline.");
    for (let tries = 1; ; tries += 1) {
      const opening = this.#open();
      const { worker } = await within(opening, signal, late);
      try {
        const answer = await within(worker.ask(name, ask), signal, late);
        this.#failures = 0;
        this.#lastFault = undefined;
        this.#options.log.success();
        return answer;
      } catch (error) {
        const fault = error as TokenFault;
        // Whoever lost the connection first has told why: what was asked on it besides ended with it, and is asked again.
        if (this.#opening === opening || tries === TRIES) this.#note(fault);
        if (signal.aborted || !fault.reconnects) throw fault;
        if (this.#opening === opening) this.#drop(worker);
        if (tries === TRIES) throw fault;
      }
    }
  }

  /** Ends the process with the library. */
  async close(): Promise<void> {
    this.#closed.abort();
    const opening = this.#opening;
    const open = await opening?.catch(() => undefined);
    await open?.worker.close();
  }

  #open(): Promise<Open> {
    this.#opening ??= this.#connect();
    return this.#opening;
  }

  #drop(worker: TokenWorker): void {
    this.#opening = undefined;
    this.#failures += 1;
    void worker.close();
  }

  #note(fault: TokenFault): void {
    this.#lastFault = fault;
    const { module, slot, tokenLabel } = this.#options.place;
    this.#options.log.fault(fault, { module, token: tokenLabel ?? slot });
  }

  async #connect(): Promise<Open> {
    const { place, pinFile, patience, onView } = this.#options;
    let worker: TokenWorker | undefined;
    try {
      const pin = await readPin(pinFile);
      if (this.#refused?.pin.text === pin.text && this.#refused.pin.version === pin.version) throw this.#refused.fault;
      const pause = PAUSES[Math.min(this.#failures, PAUSES.length - 1)] ?? 0;
      await settled(sleep(pause), this.#closed.signal);
      if (this.#closed.signal.aborted) throw new TokenFault("process", "The signer is being stopped.");
      worker = new TokenWorker(patience);
      await this.#logIn(worker, pin, place);
      onView(await worker.ask("find", null));
      return { worker };
    } catch (error) {
      const fault = error as TokenFault;
      this.#failures += 1;
      this.#opening = undefined;
      this.#note(fault);
      void worker?.close();
      throw fault;
    }
  }

  async #logIn(worker: TokenWorker, pin: Pin, place: TokenPlace): Promise<void> {
    try {
      await worker.ask("open", { ...place, pin: pin.text });
      this.#refused = undefined;
    } catch (error) {
      const fault = error as TokenFault;
      if (fault.kind === "pin-refused" || fault.kind === "pin-locked") this.#refused = { pin, fault };
      throw fault;
    }
  }
}
