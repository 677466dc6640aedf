import { clientOf } from "../network/address-range.ts";

/** What is written of one kind of outcome: how, and what. */
export interface SummedLine {
  /** A method of the logger, bound to its level. */
  readonly write: (fields: object, message: string) => void;
  readonly fields: object;
  readonly message: string;
}

/** How long repetitions are counted before they are summed up, in milliseconds. */
const INTERVAL = 60_000;
/** As many kinds of lines are told apart in an interval: more than the clients of a signer do wrong at once. */
const MOST = 10;
/** Of one client fewer, so that its flood leaves room for what the others do wrong. */
const MOST_OF_ONE_CLIENT = 5;

/**
 * Writes what may be repeated without bound, because a client makes it happen: the first of each kind at once, then one
 * line a minute with the number of the others and the fields of the last. Of more than ten kinds in a minute, or five of one
 * client, the further ones are only counted, by code. So whoever floods the signer with requests writes some twenty lines a minute, and does
 * not push other lines out of the journal. Nothing is left uncounted.
 */
export class SummedLog {
  readonly #told = new Map<string, { readonly client: string; line: SummedLine; repeated: number }>();
  readonly #others = new Map<string, number>();
  readonly #writeOthers: SummedLine["write"];
  #timer: NodeJS.Timeout | undefined;

  /** @param writeOthers writes how many there were of further kinds */
  constructor(writeOthers: SummedLine["write"]) {
    this.#writeOthers = writeOthers;
  }

  /**
   * Notes one outcome.
   * @param address of the client
   * @param kind what makes two of a client the same, such as key and code
   * @param code under which it is counted where there are too many kinds; of a table of ours
   */
  note(address: string, kind: readonly string[], code: string, line: SummedLine): void {
    const client = clientOf(address);
    const name = JSON.stringify([client, ...kind]);
    const told = this.#told.get(name);
    if (told !== undefined) {
      told.line = line;
      told.repeated += 1;
    } else if (this.#hasRoom(client)) {
      this.#told.set(name, { client, line, repeated: 0 });
      line.write(line.fields, line.message);
    } else {
      this.#others.set(code, (this.#others.get(code) ?? 0) + 1);
    }
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL).unref();
  }

  #hasRoom(client: string): boolean {
    const ofClient = [...this.#told.values()].filter((told) => told.client === client);
    return this.#told.size < MOST && ofClient.length < MOST_OF_ONE_CLIENT;
  }

  /** Sums up what was counted and not told yet. A kind that was not repeated is forgotten. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [name, told] of this.#told) {
      const { line, repeated } = told;
      if (repeated === 0) this.#told.delete(name);
      else line.write({ ...line.fields, repeated }, line.message);
      told.repeated = 0;
    }
    if (this.#others.size > 0) this.#writeOthers({ others: Object.fromEntries(this.#others) }, "more of other kinds");
    this.#others.clear();
    if (this.#told.size > 0) this.#timer = setTimeout(() => this.flush(), INTERVAL).unref();
  }
}
