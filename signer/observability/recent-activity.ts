/** A request that was not signed, for /status: what the client was told, and never a secret. */
export interface Refusal {
  /** ISO 8601. */
  readonly at: string;
  readonly key: string;
  readonly client: string;
  /** Kinds of what was asked; `unparsed` where it could not be read. */
  readonly asked: string;
  readonly code: string;
  readonly message: string;
}

const MOST_REFUSALS = 20;
/** Longest text kept, in characters: a batch has hundreds of operations. */
const MOST_CHARACTERS = 300;

/** Keeps what the signer did since its start, as far as an operator wants to see it: bounded, and in memory only. */
export class RecentActivity {
  readonly #signed = new Map<string, string>();
  readonly #refusals: Refusal[] = [];

  /** Notes a signature. @param row a watermark row's name, or `operation of ADDRESS` */
  signed(row: string): void {
    this.#signed.set(row, new Date().toISOString());
  }

  /** Notes a refusal; the oldest one goes. */
  refused(refusal: Omit<Refusal, "at">): void {
    const [asked, message] = [refusal.asked, refusal.message].map((text) => text.slice(0, MOST_CHARACTERS));
    this.#refusals.unshift({ ...refusal, at: new Date().toISOString(), asked: asked ?? "", message: message ?? "" });
    this.#refusals.length = Math.min(this.#refusals.length, MOST_REFUSALS);
  }

  /** When something was last signed, ISO 8601, by row name. */
  get lastSigned(): ReadonlyMap<string, string> {
    return this.#signed;
  }

  /** The newest first. */
  get refusals(): readonly Refusal[] {
    return this.#refusals;
  }
}
