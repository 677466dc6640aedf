import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../../errors.ts";
import { floorRow } from "../../watermark/initialise.ts";
import { type Row, type RowKey, rowName, StoreError } from "../../watermark/stores/store.ts";
import { UnreadableRow } from "../../watermark/stores/stored-row.ts";
import { Failure } from "../failure.ts";
import type { OpenedStore } from "../open-store.ts";
import type { Terminal } from "../terminal.ts";
import { anchorAt, type FloorOptions, rowKeys } from "./floor.ts";
import { reach } from "./words.ts";

/** A row that is there and cannot be read, as it was when it was looked at. */
export interface Unreadable {
  readonly key: RowKey;
  readonly found: UnreadableRow;
}

/** Finds those of a key's rows on a chain that cannot be read. */
export async function unreadableRows({ store, deadline }: OpenedStore, options: FloorOptions): Promise<Unreadable[]> {
  const unreadable: Unreadable[] = [];
  for (const key of rowKeys(options)) {
    try {
      await store.read(key, deadline());
    } catch (error) {
      if (!(error instanceof UnreadableRow)) throw error;
      unreadable.push({ key, found: error });
    }
  }
  return unreadable;
}

/** Shows what lies in the rows' places, and says what replacing it means. */
export function warnOfUnreadable(terminal: Terminal, rows: readonly Unreadable[], { level, pkh }: FloorOptions): void {
  const shown = rows.map(({ key, found }) => `  ${rowName(key)}:\n  ${found.content}`).join("\n");
  terminal.warn(
    `What cannot be read will be replaced, and nothing else: the key's other marks stay as they are.\n${shown}\nWhat ${pkh} has signed of this nobody knows any more. Go on only if no request for it can have reached level ${level}: docs/recover.md, "A row that cannot be read".`,
  );
}

/**
 * Puts a floor in place of each row, over exactly what was shown.
 * @throws Failure `unavailable` where a row is another one by now, and where nobody knows whether it is
 */
export async function replaceUnreadable(
  terminal: Terminal,
  opened: OpenedStore,
  rows: readonly Unreadable[],
  options: FloorOptions,
): Promise<void> {
  for (const { key, found } of rows) {
    const now = Date.now();
    const floor = { ...floorRow({ level: options.level, until: 0 }, now), anchor: anchorAt(options, now) };
    await opened.store.replace(key, floor, found.version, opened.deadline()).catch(async (error) => {
      if (!(error instanceof StoreError) || error.fault === "untrusted") throw error;
      await requireWritten(opened, key, floor, error);
    });
    const starts = `${rowName(key)} starts at level ${options.level}`;
    terminal.print(`${starts}; ${reach(floor, opened.settings.watermarks, now)}`);
  }
}

/**
 * Looks whether a write was done whose answer was lost, or which came second: to itself, where it was sent again.
 * @throws Failure `unavailable`, saying when to run the command again: of rows that can be read, it lowers all
 */
async function requireWritten({ store, deadline }: OpenedStore, key: RowKey, floor: Row, fault: StoreError) {
  const advice = "`watermarks check` tells whether it can be read now: run this again only if it cannot.";
  const refuse = (what: string) => new Failure("unavailable", `${what} ${advice}`, { cause: fault });
  const found = await store.read(key, deadline()).catch((error) => {
    if (error instanceof UnreadableRow) return undefined;
    throw refuse(`Whether the ${rowName(key)} was replaced is not known: the answer was lost. ${messageOf(error)}`);
  });
  if (isDeepStrictEqual(found?.row, floor)) return;
  if (fault.fault !== "conflict") throw fault;
  throw refuse(`Somebody has written the ${rowName(key)} since it was shown. It was left as it is.`);
}
