import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Requests that the app has taken and not finished: neither answered, nor, where the client has gone, worked off. */
export class InFlight {
  readonly #responses = new Set<ServerResponse>();
  #whenEmpty: () => void = () => undefined;

  get size(): number {
    return this.#responses.size;
  }

  add(response: ServerResponse, handled: Promise<unknown>): void {
    const { socket } = response.req;
    let gone: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    response.once("close", gone);
    // A pipelined answer that waits behind another one gets no `close` of its own when the client hangs up.
    socket.setMaxListeners(0).once("close", gone);
    this.#responses.add(response);
    void Promise.allSettled([handled, closed]).then(() => {
      socket.off("close", gone);
      this.#responses.delete(response);
      if (this.size === 0) this.#whenEmpty();
    });
  }

  /** Whether an answer is still to come on this connection. */
  on(socket: Duplex): boolean {
    return [...this.#responses].some(({ req }) => req.socket === socket);
  }

  /** The same, to a request that has arrived completely. */
  awaitedOn(socket: Duplex): boolean {
    return [...this.#responses].some(({ req }) => req.socket === socket && req.complete);
  }

  /** No answer that is still to come keeps its connection open. */
  closeAfterwards(): void {
    for (const response of this.#responses) response.shouldKeepAlive = false;
  }

  empty(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
      if (this.size === 0) resolve();
    });
  }
}
