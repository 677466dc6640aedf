/**
 * The VM's userData as Azure's instance metadata service (IMDS) gives it: read, and watched for changes.
 * `pulumi up` changes it in place (learn.microsoft.com, "User data for virtual machines"), so a machine gets new
 * settings without a restart. What the text means is the caller's business.
 * @module
 */
import { Repetition } from "../repetition.ts";
import { askMetadataService } from "./metadata-service.ts";

/** Returns where userData is read. @param host of IMDS */
export function userDataUrl(host: string): string {
  return new URL("/metadata/instance/compute/userData?api-version=2021-01-01&format=text", host).href;
}

export interface UserDataOptions {
  /** Where to ask: userDataUrl of IMDS. */
  readonly url: string;
  /** Time between two readings, milliseconds. IMDS takes 5 requests a second from the whole machine. */
  readonly interval?: number;
  /** The longest time between two readings while they fail, milliseconds. */
  readonly longestInterval?: number;
  /** How long one reading may take, milliseconds. */
  readonly timeout?: number;
  /**
   * Takes a text that differs from the last one taken. What it throws refuses the text: the one before stays, and the
   * same text is offered again only after another one.
   */
  apply(text: string): void | Promise<void>;
}

/** Where watching stands, for /status and metrics. */
export interface UserDataState {
  /** When userData was last read, whatever was in it. */
  readonly readAt: Date | undefined;
  /** Why the last reading failed; undefined once one succeeds. */
  readonly failure: string | undefined;
  /** Why the machine's present userData is not in use; undefined while it is. */
  readonly refusal: string | undefined;
}

/** Reads userData once, and then again and again. */
export class UserData {
  readonly #options: Required<UserDataOptions>;
  readonly #watching = new Repetition();
  #delay: number;
  #last: string | undefined;
  #readAt: Date | undefined;
  #failure: string | undefined;
  #refusal: string | undefined;

  constructor(options: UserDataOptions) {
    this.#options = { interval: 3_000, longestInterval: 120_000, timeout: 5_000, ...options };
    this.#delay = this.#options.interval;
  }

  get state(): UserDataState {
    return { readAt: this.#readAt, failure: this.#failure, refusal: this.#refusal };
  }

  /**
   * One reading.
   * @returns the decoded text, never empty
   * @throws Error that says what is wrong: no answer, another status than 200, no userData, not base64, not UTF-8
   */
  async read(): Promise<string> {
    const signal = AbortSignal.any([this.#watching.signal, AbortSignal.timeout(this.#options.timeout)]);
    try {
      const text = decode(await fetchText(this.#options.url, signal));
      this.#failure = undefined;
      this.#readAt = new Date();
      return text;
    } catch (cause) {
      const late = signal.aborted && !this.#watching.signal.aborted;
      this.#failure = late ? `no answer within ${this.#options.timeout} ms` : (cause as Error).message;
      throw new Error(`The machine's userData could not be read: ${this.#failure}`, { cause });
    }
  }

  /**
   * Watches for changes until stop(). A reading that fails changes nothing but the state, and the next one comes later
   * each time, up to the longest interval.
   * @param current the text in use, from read(); it is not applied again
   */
  watch(current: string): void {
    this.#last = current;
    this.#watching.start(
      "pause",
      () => this.#look(),
      () => this.#delay,
    );
  }

  /** Ends the reading that is under way, and reads no more. */
  stop(): void {
    void this.#watching.stop();
  }

  async #look(): Promise<void> {
    try {
      const text = await this.read();
      this.#delay = this.#options.interval;
      await this.#offer(text);
    } catch {
      this.#delay = Math.min(this.#delay * 2, this.#options.longestInterval);
    }
  }

  async #offer(text: string): Promise<void> {
    if (text === this.#last || this.#watching.signal.aborted) return;
    this.#last = text;
    try {
      await this.#options.apply(text);
      this.#refusal = undefined;
    } catch (error) {
      this.#refusal = (error as Error).message;
    }
  }
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const { status, text } = await askMetadataService(url, signal);
  if (status === 200) return text;
  throw new Error(status === 404 ? "the machine has none" : `IMDS answered with status ${status}`);
}

/** Base64 of UTF-8 text, strictly: Node's own decoder would skip over what is wrong. */
function decode(body: string): string {
  const base64 = body.replace(/\s/g, "");
  if (base64 === "") throw new Error("the machine has none");
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new Error("it is not base64");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(base64, "base64"));
  } catch (cause) {
    throw new Error("it is not UTF-8 text", { cause });
  }
}
