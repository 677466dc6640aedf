import { clientOf } from "../network/address-range.ts";
import { LastHour } from "./last-hour.ts";

/**
 * Requests that were not signed, for /status: what the client was told, and never a secret. Those of one client (clientOf)
 * for one key with one code are one, which tells of the last.
 */
export interface Refusal {
  /** When the last was, ISO 8601. */
  readonly at: string;
  /** When the first was. */
  readonly since: string;
  readonly count: number;
  readonly key: string;
  readonly client: string;
  /** Kinds of what was asked; `unparsed` where it could not be read. */
  readonly asked: string;
  readonly code: string;
  readonly message: string;
}

const MOST_REFUSALS = 20;
/** A baker asks every few seconds: of one that has stopped asking nothing is known. In milliseconds. */
const IMPLAUSIBLE_FOR = 60_000;
/** Longest text kept, in characters: a batch has hundreds of operations. */
const MOST_CHARACTERS = 300;

/** Keeps what the signer did since its start, as far as an operator wants to see it: bounded, and in memory only. */
export class RecentActivity {
  readonly lastHour = new LastHour();
  readonly #signed = new Map<string, string>();
  readonly #refusals: Refusal[] = [];
  readonly #implausible = new Map<string, { readonly message: string; readonly until: number }>();

  /** Notes a signature. @param row a watermark row's name, or `operation of ADDRESS` */
  signed(row: string): void {
    this.#signed.set(row, new Date().toISOString());
    this.#implausible.delete(row);
  }

  /** Notes that a level was refused as implausible, which stands until that row signs. @param message what the client was told */
  implausible(row: string, message: string): void {
    this.#implausible.set(row, { message, until: performance.now() + IMPLAUSIBLE_FOR });
  }

  /** The refusals of implausible levels that stand: a minute old at most, and nothing was signed by their row since. */
  get implausibleLevels(): readonly string[] {
    const now = performance.now();
    return [...this.#implausible.values()].filter(({ until }) => until > now).map(({ message }) => message);
  }

  /**
   * Notes a refusal. Where there are too many, the oldest goes of the client that has most: it can name as many keys as it
   * likes, and whoever floods the signer is to hide nobody's refusals but its own.
   */
  refused(refusal: Omit<Refusal, "at" | "since" | "count">): void {
    const [asked = "", message = ""] = [refusal.asked, refusal.message].map((text) => text.slice(0, MOST_CHARACTERS));
    const at = new Date().toISOString();
    const { client, code, key } = refusal;
    const isOf = (who: string) => (each: Refusal) => clientOf(each.client) === who;
    const isSame = isOf(clientOf(client));
    const same = this.#take((each) => isSame(each) && each.code === code && each.key === key);
    const { since = at, count = 0 } = same ?? {};
    this.#refusals.unshift({ ...refusal, at, since, count: count + 1, asked, message });
    if (this.#refusals.length > MOST_REFUSALS) this.#take(isOf(this.#busiest()));
  }

  /** The client with most refusals; of several the one whose newest is the oldest. */
  #busiest(): string {
    const clients = Map.groupBy(this.#refusals, ({ client }) => clientOf(client));
    const most = Math.max(...[...clients.values()].map(({ length }) => length));
    return [...clients].findLast(([, own]) => own.length === most)?.[0] ?? "";
  }

  /** Takes the oldest of these away. */
  #take(isOne: (refusal: Refusal) => boolean): Refusal | undefined {
    const at = this.#refusals.findLastIndex(isOne);
    return at < 0 ? undefined : this.#refusals.splice(at, 1)[0];
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
