/** Minutes that are remembered. */
const MINUTES = 60;
const MINUTE = 60_000;
/** Durations are counted in classes, each a fifth longer than the one before: from half a millisecond to a minute. */
const SHORTEST = 0.5;
const RATIO = 1.2;
const CLASSES = 66;
/** What is called now, in minutes: a vote comes every few seconds, and one slow one must not be all that is seen. */
const NOW = 5;

/** What became of a request that reached a key's policy; `failed`: by the vault, the store or the signer itself. */
export type Outcome = "signed" | "refused" | "failed";

/** Half of the signatures, and 99 of a hundred, took no longer; in milliseconds, null where there was none. */
export interface Latency {
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Requests of some minutes: how many, and how long signatures took. */
export interface Span extends Readonly<Record<Outcome, number>>, Latency {}

/** The last hour: as a whole, its last minutes, and each minute, the oldest first. */
export interface HourReport {
  readonly hour: Span;
  readonly now: Span;
  readonly minutes: readonly Span[];
}

/** One minute's counts. */
class Counts {
  readonly minute: number;
  readonly outcomes = { signed: 0, refused: 0, failed: 0 };
  readonly durations = new Uint32Array(CLASSES);

  constructor(minute: number) {
    this.minute = minute;
  }
}

/** Remembers the outcomes of the last 60 minutes, minute by minute; some 20 KiB, however many there are. */
export class LastHour {
  readonly #ring: (Counts | undefined)[] = new Array(MINUTES).fill(undefined);
  readonly #clock: () => number;

  /** @param clock milliseconds that only go on */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Counts an outcome. @param milliseconds that it took, without a person's time; of signatures alone they are kept */
  decided(outcome: Outcome, milliseconds: number): void {
    const minute = this.#minute();
    const at = minute % MINUTES;
    let counts = this.#ring[at];
    if (counts?.minute !== minute) {
      counts = new Counts(minute);
      this.#ring[at] = counts;
    }
    counts.outcomes[outcome] += 1;
    if (outcome !== "signed") return;
    const place = classOf(milliseconds);
    counts.durations[place] = (counts.durations[place] ?? 0) + 1;
  }

  /** Sums up. */
  look(): HourReport {
    const last = this.#minute();
    const all = Array.from({ length: MINUTES }, (_, index) => {
      const minute = last - MINUTES + 1 + index;
      const counts = this.#ring[((minute % MINUTES) + MINUTES) % MINUTES];
      return counts?.minute === minute ? [counts] : [];
    });
    return { hour: spanOf(all.flat()), now: spanOf(all.slice(-NOW).flat()), minutes: all.map(spanOf) };
  }

  #minute(): number {
    return Math.floor(this.#clock() / MINUTE);
  }
}

function classOf(milliseconds: number): number {
  const place = Math.ceil(Math.log(milliseconds / SHORTEST) / Math.log(RATIO));
  return Math.min(Math.max(place, 0), CLASSES - 1);
}

function spanOf(counts: readonly Counts[]): Span {
  const sum = (outcome: Outcome) => counts.reduce((total, each) => total + each.outcomes[outcome], 0);
  const durations = Array.from({ length: CLASSES }, (_, place) =>
    counts.reduce((total, each) => total + (each.durations[place] ?? 0), 0),
  );
  const [p50, p99] = [quantile(durations, 0.5), quantile(durations, 0.99)];
  return { signed: sum("signed"), refused: sum("refused"), failed: sum("failed"), p50, p99 };
}

/** The longest duration of the class that holds this share of all. */
function quantile(durations: readonly number[], share: number): number | null {
  const rank = durations.reduce((total, each) => total + each, 0) * share;
  let counted = 0;
  for (const [place, count] of durations.entries()) {
    counted += count;
    if (count > 0 && counted >= rank) return SHORTEST * RATIO ** place;
  }
  return null;
}
