/** The bytes that a question is about, and the key. */
interface Asked {
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

/** The answers of the last minute. */
export class PastAnswers {
  /** On the monotonic clock. */
  readonly #answers = new Map<string, { readonly isYes: boolean; readonly at: number }>();

  note(asked: Asked, isYes: boolean): void {
    this.#answers.set(identity(asked), { isYes, at: performance.now() });
  }

  /** Whether the same bytes were confirmed a moment ago. */
  wasConfirmed(asked: Asked): boolean {
    return this.#find(asked)?.isYes === true;
  }

  /** Returns for how long the same bytes are not asked about, since they were declined a moment ago; 0 where they were not. */
  secondsOfPeace(asked: Asked): number {
    const answer = this.#find(asked);
    if (answer === undefined || answer.isYes) return 0;
    return Math.max(1, Math.ceil((HOLDS - (performance.now() - answer.at)) / 1_000));
  }

  #find(asked: Asked) {
    const now = performance.now();
    for (const [id, { at }] of this.#answers) if (now - at > HOLDS) this.#answers.delete(id);
    return this.#answers.get(identity(asked));
  }
}

/** Names the bytes that a question is about, for this key. */
export function identity({ key, digest }: Asked): string {
  return `${key} ${digest}`;
}
