import type { Logger } from "pino";
import { EncodingError } from "../../tezos/crypto/base58.ts";
import { prepareVerification } from "../../tezos/crypto/signature.ts";
import type { Keyring } from "../keyring.ts";
import { PolledKeyring } from "../polled-keyring.ts";
import { TokenConnection } from "./connection.ts";
import { readPublicKey } from "./ec-key.ts";
import { TokenFault } from "./fault.ts";
import type { TokenKeyInfo, TokenPlace, TokenView } from "./messages.ts";
import { type TokenSettings, tokenPlace } from "./place.ts";
import { means, nameOf } from "./selection.ts";
import { TokenKey } from "./signing-key.ts";

export interface Pkcs11Options extends TokenSettings {
  /** Labels, or `id:` and hex; `all`: every key of the token that can sign. Read at each look. */
  readonly include: () => "all" | readonly string[];
  readonly logger: Logger;
  /** Other times than the usual ones, for tests, in milliseconds. */
  readonly times?: Partial<Times>;
}

interface Times {
  /** How long `open` waits for the token before it goes on without keys. */
  readonly startup: number;
  /** Between two looks at the token's keys. */
  readonly interval: number;
  /** Between two looks where a key is missed. */
  readonly refresh: number;
  /** One look. */
  readonly look: number;
  /** One answer of the vendor's library, before its process is ended. */
  readonly patience: number;
}

const TIMES: Times = { startup: 15_000, interval: 60_000, refresh: 10_000, look: 15_000, patience: 10_000 };

/**
 * Opens the keys of a PKCS#11 token. Returns once the keys are known, or without them when the token does not show them
 * in time: it goes on asking, and `problem` says why. A refused PIN does not end the process either: a service that is
 * started again and again would try it until the token locks.
 * @throws StartError as tokenPlace does
 */
export async function openPkcs11Keyring(options: Pkcs11Options): Promise<Keyring> {
  const keyring = new Pkcs11Keyring(options, await tokenPlace(options));
  await keyring.open();
  return keyring;
}

class Pkcs11Keyring extends PolledKeyring<TokenKey> {
  readonly keys = new Map<string, TokenKey>();
  readonly #include: Pkcs11Options["include"];
  readonly #times: Times;
  readonly #token: string;
  readonly #connection: TokenConnection;
  #missing: readonly string[] = [];
  #seen = false;

  constructor({ include, logger, pin, ...options }: Pkcs11Options, place: TokenPlace) {
    const times = { ...TIMES, ...options.times };
    const token = place.tokenLabel === undefined ? `slot ${place.slot}` : `token ${JSON.stringify(place.tokenLabel)}`;
    super({ logger, backend: "the token", where: { token }, ...times });
    this.#include = include;
    this.#times = times;
    this.#token = token;
    this.#connection = new TokenConnection({
      place,
      pinFile: pin.file,
      log: this.faultLog,
      patience: times.patience,
      onView: (view) => this.#take(view),
    });
  }

  problem(): string | undefined {
    const { fault } = this.#connection;
    if (fault !== undefined) return `The ${this.#token} cannot be used. ${fault.advice}`;
    if (!this.#seen) return `The ${this.#token} has not shown its keys yet.`;
    if (this.#missing.length > 0) return `The ${this.#token} lacks keys of keys.include: ${this.#missing.join("; ")}.`;
    if (this.keys.size > 0) return undefined;
    return [`The ${this.#token} has no key that can sign`, ...this.notes].join("; ");
  }

  unseen(): string | undefined {
    return this.#seen ? undefined : this.problem();
  }

  async close(): Promise<void> {
    this.polling.stop();
    await this.#connection.close();
    this.keys.clear();
  }

  protected async look(): Promise<boolean> {
    const signal = AbortSignal.any([AbortSignal.timeout(this.#times.look), this.polling.signal]);
    try {
      this.#take(await this.#connection.ask("find", null, signal));
      return this.#missing.length === 0;
    } catch (error) {
      if (error instanceof TokenFault && !error.reconnects) this.known();
      return false;
    }
  }

  /** Takes what the token shows: keys that are new, and those that are gone. */
  #take({ keys, skipped }: TokenView): void {
    const include = this.#include();
    const isWanted = (key: TokenKeyInfo | TokenView["skipped"][number]) =>
      include === "all" || include.some((entry) => means(entry, key));
    const notes = skipped.filter(isWanted).map((key) => `${nameOf(key)} is left out: ${key.reason}`);
    const found = new Map<string, string>();
    for (const key of keys.filter(isWanted)) {
      const note = this.#serve(key, found);
      if (note !== undefined) notes.push(`${nameOf(key)} is left out: ${note}`);
    }
    for (const [address, { location }] of this.keys) {
      if (found.has(address)) continue;
      this.keys.delete(address);
      this.logger.warn({ key: address, location }, "key is no longer served: it is not on the token, or left out");
    }
    this.#missing =
      include === "all"
        ? []
        : include
            .filter((entry) => ![...keys, ...skipped].some((key) => means(entry, key)))
            .map((entry) => `no ${entry}`);
    this.note(notes);
    this.#seen = true;
    this.known();
  }

  /** @param found addresses and names of this look, to which it is added @returns why it cannot be served */
  #serve(key: TokenKeyInfo, found: Map<string, string>): string | undefined {
    try {
      const publicKey = readPublicKey(key.params, key.point);
      const { address, curve } = publicKey;
      const twin = found.get(address);
      if (twin !== undefined) return `it is the same key as ${twin}`;
      found.set(address, nameOf(key));
      const point = Buffer.from(key.point).toString("hex");
      const location = `${this.#token}, ${nameOf(key)}`;
      const known = this.keys.get(address);
      if (known?.point === point && known.location === location) return undefined;
      prepareVerification(publicKey);
      this.keys.set(address, new TokenKey({ publicKey, location, point }, this.#connection, () => this.refresh()));
      this.logger.info({ key: address, location, curve }, "key is served");
      return undefined;
    } catch (error) {
      if (error instanceof EncodingError) return error.message;
      throw error;
    }
  }
}
