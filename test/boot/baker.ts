import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { verifySignature } from "@taquito/utils";
import { attestation, preattestation } from "../fixtures/payloads.ts";
import { BAKER, MACHINE } from "./machine.ts";

/** What a baker got. */
export interface Asked {
  readonly answers: number;
  /** Answers that were no signature, and connections that broke, in words. */
  readonly failures: readonly string[];
  /** The longest wait for an answer, milliseconds, and when it began after the start. */
  readonly longest: { readonly wait: number; readonly at: number };
  /** Median wait, milliseconds. */
  readonly median: number;
}

/**
 * Asks for a vote ten times a second as octez does, on a connection of its own each time, and ten times a second on a
 * kept connection; each after the answer to the one before, since a vote that is overtaken by a later one is refused
 * rightly. Counts whatever is not a signature, asks nothing again.
 */
export class Baker {
  readonly #address: string;
  readonly #publicKey: string;
  readonly #kept = new Agent({ keepAlive: true, maxSockets: 1, localAddress: BAKER } as object);
  readonly #waits: { wait: number; at: number }[] = [];
  readonly #failures: string[] = [];
  readonly #started = Date.now();
  #level: number;
  #stopped = false;
  readonly #loops: Promise<void>[];

  /** @param level the first one to ask for */
  constructor(address: string, publicKey: string, level: number) {
    this.#address = address;
    this.#publicKey = publicKey;
    this.#level = level;
    this.#loops = [this.#ask(true), this.#ask(false)];
  }

  /** How long it asks already, milliseconds. */
  get elapsed(): number {
    return Date.now() - this.#started;
  }

  /** The next level that it would ask for. */
  get level(): number {
    return this.#level;
  }

  async stop(): Promise<Asked> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    this.#kept.destroy();
    const waits = this.#waits.toSorted((a, b) => b.wait - a.wait);
    return {
      answers: waits.length,
      failures: this.#failures,
      longest: waits[0] ?? { wait: 0, at: 0 },
      median: waits[waits.length >> 1]?.wait ?? 0,
    };
  }

  async #ask(kept: boolean): Promise<void> {
    let level = this.#level;
    while (!this.#stopped) {
      const next = Date.now() + 100;
      level += 1;
      this.#level = Math.max(this.#level, level);
      await this.#once(kept, level);
      await sleep(Math.max(0, next - Date.now()));
    }
  }

  async #once(kept: boolean, level: number): Promise<void> {
    const began = Date.now();
    const payload = (kept ? attestation : preattestation)({ level, round: 0 }).toString("hex");
    const how = `${kept ? "kept" : "new"} connection, ${((began - this.#started) / 1_000).toFixed(1)} s`;
    try {
      const { status, text } = await this.#post(kept, payload);
      if (status !== 200) this.#failures.push(`${how}: ${status} ${text}`);
      else if (!verifySignature(payload, this.#publicKey, JSON.parse(text).signature))
        this.#failures.push(`${how}: it does not verify`);
    } catch (error) {
      this.#failures.push(`${how}: ${error instanceof Error ? error.message : error}`);
    }
    this.#waits.push({ wait: Date.now() - began, at: began - this.#started });
  }

  #post(kept: boolean, payload: string): Promise<{ status: number | undefined; text: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; text: string }>();
    const options = {
      method: "POST",
      headers: { "content-type": "application/json" },
      localAddress: BAKER,
      agent: kept ? this.#kept : (false as const),
      signal: AbortSignal.timeout(30_000),
    };
    const asked = request(`http://${MACHINE}:6732/keys/${this.#address}`, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, text })).on("error", reject);
    });
    asked.on("error", reject).end(`"${payload}"`);
    return promise;
  }
}
