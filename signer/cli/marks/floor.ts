import { type Command, Option } from "commander";
import { CONSENSUS_KINDS } from "../../tezos/payload/consensus-kind.ts";
import type { Anchor } from "../../watermark/anchor.ts";
import { floorRow } from "../../watermark/initialise.ts";
import { type Row, type RowKey, rowName } from "../../watermark/stores/store.ts";
import { Failure } from "../failure.ts";
import { configOption, type OpenedStore, type StoreOptions, update, userDataOption } from "../open-store.ts";
import type { Terminal } from "../terminal.ts";
import { headOption, parseChain, parseLevel } from "./options.ts";
import { describe, reach } from "./words.ts";

/** What `init` and `forget` work on: the marks of one key on one chain. */
export interface FloorOptions extends StoreOptions {
  readonly chain: string;
  readonly pkh: string;
  /** The first level that may be signed. */
  readonly level: number;
  /** The chain's level now, where it was told. */
  readonly head?: number;
}

/** Adds the options of {@link FloorOptions}. @param readAddress which addresses it is for */
export function floorOptions(command: Command, readAddress: (text: string) => string): Command {
  return command
    .addOption(new Option("--chain <id>", "the chain's id, Net…").argParser(parseChain).makeOptionMandatory())
    .addOption(new Option("--pkh <address>", "the key's address").argParser(readAddress).makeOptionMandatory())
    .addOption(
      new Option("--level <level>", "the first level that may be signed").argParser(parseLevel).makeOptionMandatory(),
    )
    .addOption(headOption())
    .addOption(configOption())
    .addOption(userDataOption());
}

/** Lets a person type a part of the address. @throws Failure `declined` for anything else */
export async function confirmAddress(terminal: Terminal, address: string): Promise<void> {
  const typed = await terminal.ask("To go on, type the last six characters of the address: ");
  if (typed !== address.slice(-6)) throw new Failure("declined", "Those are not the last six. Nothing was changed.");
  terminal.release();
}

/** Names the rows of a key on a chain. */
export function rowKeys({ chain, pkh }: FloorOptions): RowKey[] {
  return CONSENSUS_KINDS.map((kind) => ({ chainId: chain, address: pkh, kind }));
}

/** Returns what a floor is believed from: the chain's level, where it was told. */
export function anchorAt({ level, head = level }: FloorOptions, now: number): Anchor {
  return { level: Math.max(level, head), at: now };
}

/** Puts a floor in place of each mark that `applies` chooses, given what is there and the floor, and prints what became of it. */
export async function setFloor(
  terminal: Terminal,
  opened: OpenedStore,
  options: FloorOptions,
  applies: (before: Row | undefined, floor: Row) => boolean,
): Promise<void> {
  const { level } = options;
  for (const key of rowKeys(options)) {
    const now = Date.now();
    const floor = { ...floorRow({ level, until: 0 }, now), anchor: anchorAt(options, now) };
    const { before, after } = await update(opened, key, (row) => (applies(row, floor) ? floor : undefined));
    const was = before === undefined ? "" : ` (it was at ${describe(before)})`;
    const verb = before === after ? "stays as it is" : `starts at level ${level}${was}`;
    terminal.print(
      `${rowName(key)} ${verb}${after === undefined ? "" : `; ${reach(after, opened.settings.watermarks, now)}`}`,
    );
  }
}
