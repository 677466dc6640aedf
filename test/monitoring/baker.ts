import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { attestation, MAINNET } from "../fixtures/payloads.ts";

/** Between two levels of the chain, in milliseconds. */
const BLOCK = 500;

/** A chain that goes on, its node, and a baker who asks a signer for each level's attestation. */
export class Baker implements AsyncDisposable {
  level = 1_000;
  /** Whether the chain goes on. */
  isMoving = true;
  /** Whether the baker asks. */
  asks = true;
  /** Round of what it asks for. */
  round = 0;
  /** Whether the node answers. */
  nodeIsThere = true;
  readonly #server: Server;
  readonly #stopped = new AbortController();
  readonly #asked = new Set<Promise<unknown>>();
  #url = "";
  #address = "";
  #running: Promise<void> = Promise.resolve();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async make(): Promise<Baker> {
    const server = createServer();
    const baker = new Baker(server);
    server.on("request", (_request, response) => {
      const head = { chain_id: MAINNET, level: baker.level, timestamp: new Date().toISOString() };
      response.writeHead(baker.nodeIsThere ? 200 : 503).end(JSON.stringify(head));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return baker;
  }

  get node(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Begins to ask a signer for this key. */
  start(url: string, address: string): void {
    this.#url = url;
    this.#address = address;
    this.#running = this.#repeat();
  }

  /** Has the chain stand still, and waits for the answer to what was asked before. */
  async standStill(): Promise<void> {
    this.isMoving = false;
    await Promise.all(this.#asked);
  }

  /** Asks for one signature. @returns the status */
  async ask(payload: Buffer): Promise<number> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(payload.toString("hex"));
    return (await fetch(`${this.#url}/keys/${this.#address}`, { method: "POST", headers, body })).status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #repeat(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      if (this.isMoving) this.level += 1;
      const isNew = this.isMoving && this.asks;
      // Nobody waits for an answer: a slow key must not slow the chain.
      if (isNew) this.#note(this.ask(attestation({ level: this.level, round: this.round })).catch(() => undefined));
      await sleep(BLOCK, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(this.#asked);
  }

  #note(asking: Promise<unknown>): void {
    this.#asked.add(asking);
    void asking.then(() => this.#asked.delete(asking));
  }
}
