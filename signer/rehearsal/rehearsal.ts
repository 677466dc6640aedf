import { setImmediate } from "node:timers/promises";
import type { Logger } from "pino";
import { Confirmations } from "../confirmation/confirmations.ts";
import { CONSENSUS_KINDS } from "../contract.ts";
import { createApp } from "../http/app.ts";
import type { Keyring, SigningKey, StandInBackend } from "../keys/keyring.ts";
import { askInProcess } from "../network/in-process.ts";
import { http } from "../network/node-http.ts";
import type { RequestSettings } from "../signing/request-context.ts";
import { SigningService } from "../signing/signing-service.ts";
import { Guard } from "../watermark/guard.ts";
import { TrustedStore } from "../watermark/trusted-store.ts";
import { EmptyStore, type Scene, scenes } from "./stand-ins.ts";

/** A vault or a table may be waited for long. */
const MOST_AT_START = 50;
/** A computer that was busy, or asleep, makes one late. So many in a row are a defect. */
const MOST_FAILURES = 5;
/** For so long a process counts as new, in milliseconds: its code is compiled while it runs, the more the better. */
const NEW_FOR = 10_000;
/** The share of a core that rehearsals take at most: of a new process, and later. */
const SHARES = { first: 0.1, later: 0.01 };
/** Between two rehearsals at least, in milliseconds: of a new process, and later. */
const PAUSES = { first: 20, later: 250 };

/** What a rehearsal may take, in milliseconds: less than any request. */
const BUDGET = 1_000;

export interface RehearsalParts {
  readonly logger: Logger;
  /** The backend whose code is rehearsed with the rest, where it has a stand-in for what it asks. */
  readonly backend?: StandInBackend | undefined;
}

/**
 * Keeps the way of a request warm. A baker asks three times in six seconds: code that runs so seldom is never compiled, and
 * in between it leaves the processor's caches. So the same way, from the bytes of an HTTP request to those of its answer, is
 * gone now and then with fixed requests, keys and answers, on a store that keeps nothing and by connections within this
 * process. Nothing of it is asked of a vault, reserved, logged or counted, and no key of a baker's is touched. It rests
 * while requests come, and its share of the processor is bounded (docs/performance.md).
 */
export class Rehearsal {
  readonly #parts: RehearsalParts;
  readonly #scenes = scenes();
  readonly #server: ReturnType<typeof http.createServer>;
  readonly #bornAt = performance.now();
  readonly #confirmations: Confirmations;
  #service: SigningService | undefined;
  #curves: ReadonlySet<string> = new Set();
  #next = 0;
  /** In a row. */
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(parts: RehearsalParts) {
    this.#parts = parts;
    const signer = {
      addresses: () => this.#service?.addresses() ?? [],
      publicKey: (address: string) => this.#rehearsed().publicKey(address),
      sign: (...call: Parameters<SigningService["sign"]>) => this.#rehearsed().sign(...call),
    };
    const audit = { recordAnswered: () => undefined };
    this.#confirmations = new Confirmations(parts);
    const app = createApp({ signer, settings: { current: SETTINGS }, audit, log: parts.logger });
    this.#server = http.createServer({ requireHostHeader: false }, app.callback());
  }

  #rehearsed(): SigningService {
    if (this.#service === undefined) throw new Error("nothing is rehearsed now");
    return this.#service;
  }

  /** Rehearses while something else is waited for, once at least, and no longer than that or so often. Never rejects. */
  async during(waited: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    waited.then(over, over);
    for (let round = 0; round < MOST_AT_START && !isOver && !this.#isStopped; round += 1) {
      await this.#once();
      await setImmediate(); // a signal, or an answer of the network
    }
  }

  /** Rehearses from now on, until it is stopped. @param askedAt when a baker asked last, by performance.now() */
  keep(keyring: Keyring, askedAt: () => number): void {
    this.#curves = new Set([...keyring.keys.values()].map(({ publicKey }) => publicKey.curve));
    const again = (took: number) => {
      if (this.#isStopped) return;
      const phase = performance.now() < this.#bornAt + NEW_FOR ? "first" : "later";
      const pause = Math.max(PAUSES[phase], took / SHARES[phase] - took);
      this.#timer = setTimeout(async () => {
        const isBusy = performance.now() < askedAt() + PAUSES.later;
        again(isBusy ? 0 : await this.#once());
      }, pause).unref();
    };
    again(0);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#parts.backend?.close();
  }

  /** Goes the way once. After some failures in a row nothing is rehearsed any more. @returns what it took, in milliseconds */
  async #once(): Promise<number> {
    const began = performance.now();
    try {
      const fit = this.#scenes.filter(({ publicKey }) => this.#curves.size === 0 || this.#curves.has(publicKey.curve));
      const scene = fit[this.#next++ % fit.length];
      if (scene !== undefined) await this.#play(scene);
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === MOST_FAILURES && !this.#isStopped) {
        this.#parts.logger.debug({ error: String(error) }, "the way of a request is not kept warm any more");
        this.stop();
      }
    }
    return performance.now() - began;
  }

  async #play(scene: Scene): Promise<void> {
    const { address } = scene.publicKey;
    const key = this.#parts.backend?.key(scene.publicKey, scene.signature) ?? new FixedKey(scene);
    this.#service = serviceOf(key, this.#confirmations);
    const body = `"${scene.payload}"\n`;
    const head = "Host: 127.0.0.1\r\nAccept: application/json\r\nConnection: close\r\n";
    await askInProcess(this.#server, `GET /authorized_keys HTTP/1.1\r\n${head}\r\n`);
    const answer = await askInProcess(
      this.#server,
      `POST /keys/${address}?version=3 HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    if (!answer.startsWith("HTTP/1.1 200 ")) throw new Error(`it ends with ${answer.split("\r\n", 1)[0]}`);
  }
}

const SETTINGS: RequestSettings = {
  policy: { default: { allow: CONSENSUS_KINDS }, keys: new Map() },
  listKnownKeys: false,
};

/** Makes a signer that has signed nothing yet, with one key. */
function serviceOf(key: SigningKey, confirmations: Confirmations): SigningService {
  const store = new TrustedStore({ store: new EmptyStore(), initialise: "always", clock: Date.now });
  return new SigningService({
    keyring: { keys: new Map([[key.publicKey.address, key]]), close: async () => undefined },
    store,
    guard: new Guard({
      store,
      maxStep: 100,
      minimalBlockDelay: 1,
      budgets: { preattestation: BUDGET, attestation: BUDGET, block: BUDGET },
      clock: Date.now,
    }),
    settings: { current: SETTINGS },
    settingsHome: "file",
    head: { of: () => undefined },
    confirmations,
    budget: BUDGET,
  });
}

/** A key that has one signature. */
class FixedKey implements SigningKey {
  readonly publicKey;
  readonly location = "memory";
  readonly #signature: Uint8Array;

  constructor({ publicKey, signature }: Scene) {
    this.publicKey = publicKey;
    this.#signature = signature;
  }

  async sign(): Promise<Uint8Array> {
    return this.#signature;
  }
}
