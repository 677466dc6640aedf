/**
 * From when imported marks are. A mark's anchor (anchor.ts) says how far the chain may have gone on since, so it must be
 * of the time when the mark was the newest: dated later, it refuses the real chain for hours; dated earlier, it lets a
 * client push the mark further.
 * @module
 */
import { type Anchor, highestPlausible } from "../anchor.ts";
import type { Mark } from "../decision.ts";
import type { RowKey } from "../stores/store.ts";
import { InterchangeError, type MarkRecord } from "./format.ts";

/** A record that was read, with what is known of its age. */
export interface DatedRecord extends MarkRecord {
  /** What to call it in messages. */
  readonly name: string;
  /** When its file was last changed, in milliseconds since 1970; absent where it is no file. */
  readonly modifiedAt?: number;
}

/** A file's time on the disk is believed for so long: one that is older was rather kept than copied with its time. */
const LONGEST_AGE = 30 * 24 * 60 * 60 * 1_000;
/** Two computers' clocks. */
const SKEW = 5 * 60 * 1_000;

/** Levels of chains, as they are now. */
export type Heads = ReadonlyMap<string, number>;

/**
 * Returns when a record's marks were the newest: what it says itself, else the time of its file, if that lies within
 * the last 30 days. A time of the future says nothing.
 * @returns milliseconds since 1970, or undefined where it is not known
 */
export function dateOf({ writtenAt, modifiedAt }: DatedRecord, now: number): number | undefined {
  if (writtenAt !== undefined && writtenAt <= now + SKEW) return Math.min(writtenAt, now);
  if (modifiedAt === undefined || modifiedAt > now + SKEW || modifiedAt < now - LONGEST_AGE) return undefined;
  return Math.min(modifiedAt, now);
}

/**
 * Gives each mark of an import its anchor: of its chain's head where that was told; else the highest level of its key on
 * that chain, whatever its kind, at the date of its record, since a key's kinds follow one chain.
 * @throws InterchangeError where neither is known
 */
export function anchorsOf(
  records: readonly DatedRecord[],
  heads: Heads,
  now: number,
): (key: RowKey, mark: Mark) => Anchor {
  const highest = new Map<string, Anchor>();
  for (const record of records) {
    for (const { key, mark } of record.marks) {
      if (heads.has(key.chainId)) continue;
      const at = dateOf(record, now);
      if (at === undefined) throw unknownDate(record, key.chainId);
      const known = highest.get(placeOf(key));
      const isHigher = known === undefined || mark.level > known.level || (mark.level === known.level && at < known.at);
      if (isHigher) highest.set(placeOf(key), { level: mark.level, at });
    }
  }
  return (key, mark) => {
    const told = { level: Math.max(heads.get(key.chainId) ?? 0, mark.level), at: now };
    return highest.get(placeOf(key)) ?? told;
  };
}

/**
 * Chooses the anchor that allows more now, the first where they allow the same. A file with too late a date, or a head that
 * was mistyped, must not stop a baker who was not stopped before.
 */
export function laxer(one: Anchor, other: Anchor, now: number, minimalBlockDelay: number): Anchor {
  const reach = (anchor: Anchor) => highestPlausible(anchor, 0, now, minimalBlockDelay);
  return reach(one) >= reach(other) ? one : other;
}

function placeOf({ address, chainId }: RowKey): string {
  return `${address} ${chainId}`;
}

function unknownDate({ name, writtenAt, modifiedAt }: DatedRecord, chainId: string): InterchangeError {
  const time = writtenAt ?? modifiedAt;
  const told = time === undefined ? "without a date" : `of ${new Date(time).toISOString()}, which is no date to go by`;
  return new InterchangeError(`${name} is ${told}, so how far ${chainId} has gone on since its marks is not known.`);
}
