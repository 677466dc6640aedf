import type { Logger } from "pino";
import { settledWithin } from "../deadline.ts";
import { FaultLog } from "./fault-log.ts";
import type { Keyring, SigningKey } from "./keyring.ts";
import { Polling } from "./polling.ts";

export interface PolledKeyringOptions {
  readonly logger: Logger;
  /** What answers again after a fault, such as "the vault". */
  readonly backend: string;
  /** Where the keys are, as log lines have it: a field and its value. */
  readonly where: Readonly<Record<string, string>>;
  /** How long `open` waits for the keys before it goes on without them, in milliseconds. */
  readonly startup: number;
  /** Between two looks at the keys, in milliseconds. */
  readonly interval: number;
  /** Between two looks where a key is missed, in milliseconds. */
  readonly refresh: number;
}

/** A keyring of what can be away and come back: it looks at the keys again and again, and notes each thing once. */
export abstract class PolledKeyring<Key extends SigningKey> implements Keyring {
  abstract readonly keys: ReadonlyMap<string, Key>;
  protected readonly logger: Logger;
  protected readonly faultLog: FaultLog;
  protected readonly polling: Polling;
  readonly #where: PolledKeyringOptions["where"];
  readonly #startup: number;
  /** Settled once it is known which keys there are, or that only a person can mend it. */
  readonly #known = Promise.withResolvers<void>();
  /** What the last look noted, so that each thing is written once. */
  #notes: ReadonlySet<string> = new Set();

  constructor({ logger, backend, where, startup, interval, refresh }: PolledKeyringOptions) {
    this.logger = logger;
    this.faultLog = new FaultLog(logger, backend);
    this.polling = new Polling({ look: () => this.look(), interval, refresh });
    this.#where = where;
    this.#startup = startup;
  }

  /** Returns once the keys are known, or without them when they are not shown in time. */
  async open(): Promise<void> {
    this.polling.start();
    await settledWithin(this.#known.promise, this.#startup, this.polling.signal);
  }

  abstract problem(): string | undefined;
  abstract unseen(): string | undefined;

  answeredAt(): number | undefined {
    return this.faultLog.answeredAt;
  }

  faults(): ReadonlyMap<string, number> {
    return this.faultLog.counts;
  }

  refresh(): void {
    this.polling.refresh();
  }

  abstract close(): Promise<void>;

  /** Looks at the keys once. @returns whether everything was seen; never rejects */
  protected abstract look(): Promise<boolean>;

  /** Ends the wait of `open`. */
  protected known(): void {
    this.#known.resolve();
  }

  /** Logs what was not so at the last look. @param notes such as `"baker" is left out: …` */
  protected note(notes: readonly string[]): void {
    for (const note of notes) if (!this.#notes.has(note)) this.logger.warn(this.#where, `key ${note}`);
    this.#notes = new Set(notes);
  }

  /** What the last look noted. */
  protected get notes(): ReadonlySet<string> {
    return this.#notes;
  }
}
