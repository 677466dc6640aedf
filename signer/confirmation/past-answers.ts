import { clientOf } from "../network/address-range.ts";

/** The bytes that a question is about, and the key. */
interface Asked {
  /** IP address. */
  readonly client: string;
  /** Public key hash of the key asked for. */
  readonly key: string;
  /** Blake2b-256 of the payload, hex. */
  readonly digest: string;
}

/**
 * How long an answer holds, in milliseconds. After a yes, since octez repeats the same bytes where the key answered 502,
 * and the chain takes them only once; after a no, since nobody is to be worn down by asking.
 */
const HOLDS = 60_000;

/** How long a client asks nothing new for a key after a no, in milliseconds: twice as long after each further one. */
const FIRST_PAUSE = 10_000;
const LONGEST_PAUSE = 5 * 60_000;

/** The answers of the last minute, and the clients that were declined of late. */
export class PastAnswers {
  /** On the monotonic clock. */
  readonly #answers = new Map<string, { readonly isYes: boolean; readonly at: number }>();

  /** By client and key; made by a person's answers alone, so there are few. */
  readonly #noes = new Map<string, { readonly count: number; readonly until: number }>();

  note(asked: Asked, isYes: boolean): void {
    const now = performance.now();
    this.#answers.set(identity(asked), { isYes, at: now });
    const count = isYes ? 0 : (this.#noes.get(asker(asked))?.count ?? 0) + 1;
    if (count === 0) this.#noes.delete(asker(asked));
    else this.#noes.set(asker(asked), { count, until: now + Math.min(FIRST_PAUSE * 2 ** (count - 1), LONGEST_PAUSE) });
  }

  /**
   * Returns for how long this client asks nothing new for this key, since a person declined what it asked: whoever changes a
   * byte and asks again is to wear nobody down. A yes ends it, and so does a time without a no.
   */
  secondsOfPause(asked: Asked): number {
    const now = performance.now();
    for (const [id, { until }] of this.#noes) if (now - until > LONGEST_PAUSE) this.#noes.delete(id);
    return Math.max(0, Math.ceil(((this.#noes.get(asker(asked))?.until ?? now) - now) / 1_000));
  }

  /** Whether the same bytes were confirmed a moment ago. */
  wasConfirmed(asked: Omit<Asked, "client">): boolean {
    return this.#find(asked)?.isYes === true;
  }

  /** Returns for how long the same bytes are not asked about, since they were declined a moment ago; 0 where they were not. */
  secondsOfPeace(asked: Omit<Asked, "client">): number {
    const answer = this.#find(asked);
    if (answer === undefined || answer.isYes) return 0;
    return Math.max(1, Math.ceil((HOLDS - (performance.now() - answer.at)) / 1_000));
  }

  #find(asked: Omit<Asked, "client">) {
    const now = performance.now();
    for (const [id, { at }] of this.#answers) if (now - at > HOLDS) this.#answers.delete(id);
    return this.#answers.get(identity(asked));
  }
}

function asker({ client, key }: Asked): string {
  return `${clientOf(client)} ${key}`;
}

/** Names the bytes that a question is about, for this key. */
export function identity({ key, digest }: Omit<Asked, "client">): string {
  return `${key} ${digest}`;
}
