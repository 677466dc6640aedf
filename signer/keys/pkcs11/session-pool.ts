/** Signatures at once: each session makes one at a time. */
export const SESSIONS = 4;

/** As many bytes as the signature of any curve has, and more. */
const SIGNATURE_BYTES = 256;

/** A session of a token with buffers of its own: the library writes to them in another thread, so they live as long as it. */
export interface PooledSession {
  readonly session: Buffer;
  /** 32 bytes. */
  readonly digest: Buffer;
  readonly signature: Buffer;
}

/** Sessions, each used by one at a time; who finds none free waits for his turn. */
export class SessionPool {
  readonly #free: PooledSession[];
  readonly #waiting: ((session: PooledSession) => void)[] = [];

  constructor(sessions: readonly Buffer[]) {
    this.#free = sessions.map((session) => ({
      session,
      digest: Buffer.alloc(32),
      signature: Buffer.alloc(SIGNATURE_BYTES),
    }));
  }

  /** Runs `work` with a session that is free. */
  async use<T>(work: (session: PooledSession) => Promise<T>): Promise<T> {
    const session = this.#free.pop() ?? (await new Promise<PooledSession>((turn) => this.#waiting.push(turn)));
    try {
      return await work(session);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(session);
      else next(session);
    }
  }
}
