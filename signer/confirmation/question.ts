import type { Description } from "./describe.ts";

/** A request that waits for a person, in words. */
export interface Question extends Description {
  /** Public key hash of the key asked for. */
  readonly key: string;
  /** IP address of the client. */
  readonly client: string;
  /** Blake2b-256 of the payload, hex. */
  readonly digest: string;
}

/** A question that waits for its answer, with its number and its dates. */
export interface PendingRequest extends Question {
  readonly id: number;
  /** ISO 8601. */
  readonly since: string;
  readonly until: string;
}

/** A person who is connected, as the questions see them. */
export interface Operator {
  /** Names the connection in the log. */
  readonly name: string;
  /** A question to be answered; the next comes once this one is answered or withdrawn. */
  show(asked: PendingRequest): void;
  /** The question that was shown last needs no answer any more. @param reason whole words, for the terminal */
  withdraw(id: number, reason: string): void;
}
