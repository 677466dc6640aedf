import { Command, Option } from "commander";
import { CONSENSUS_KINDS } from "../../tezos/payload/consensus-kind.ts";
import type { Anchor } from "../../watermark/anchor.ts";
import type { Mark } from "../../watermark/decision.ts";
import { anchorsOf, type DatedRecord, type Heads, laxer } from "../../watermark/interchange/dates.ts";
import { InterchangeError, type NamedMark } from "../../watermark/interchange/format.ts";
import { merge, mergeAll, takenOver } from "../../watermark/interchange/merge.ts";
import { SOURCES, type SourceName } from "../../watermark/interchange/sources.ts";
import { type Row, type RowKey, rowName } from "../../watermark/stores/store.ts";
import { Failure } from "../failure.ts";
import { headsOption, parseAddress, parseChain, type ToldHeads } from "../marks/options.ts";
import { readRecords } from "../marks/records.ts";
import { describe, reach } from "../marks/words.ts";
import {
  configOption,
  ensureIdentity,
  type OpenedStore,
  type StoreOptions,
  update,
  userDataOption,
  withStore,
} from "../open-store.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";

interface ImportOptions extends StoreOptions {
  readonly from: SourceName;
  readonly chain?: string;
  readonly pkh?: readonly string[];
  readonly head?: ToldHeads;
}

/** Defines `watermarks import`. */
export function importCommand(io: Io): Command {
  const command = new Command("import")
    .summary("take over marks from a file, never lowering one")
    .description(
      "Takes the higher of what the files and the store know, mark by mark. Where both know other bytes at one position, nothing at that position is signed again. All files are read before anything is written; a store that is not there is made. How far the chain has gone on since is taken from the files' dates, or from --head. The other signer must be stopped for good first.",
    )
    .argument("<files...>", "what the other signer wrote, all its files at once, or their folder; - for standard input")
    .addOption(
      new Option("--from <signer>", "whose files they are").choices(Object.keys(SOURCES)).default("tezos-signer"),
    )
    .addOption(new Option("--chain <id>", "the chain, where the record does not name it").argParser(parseChain))
    .addOption(
      new Option("--pkh <address>", "a key that the record is about, where it names none; once for each key").argParser(
        (text, keys: readonly string[] | undefined) => [...(keys ?? []), parseAddress(text)],
      ),
    )
    .addOption(headsOption())
    .addOption(configOption())
    .addOption(userDataOption())
    .action(async (files: string[], { from, chain, pkh: keys, head, ...options }: ImportOptions) => {
      using terminal = new Terminal(io);
      const records = await readRecords(files, { from, ...(chain && { chain }), ...(keys && { keys }) }, io);
      for (const note of new Set(records.flatMap(({ notes = [] }) => notes))) terminal.say(note);
      const marks = mergeAll(records.flatMap((record) => record.marks));
      if (marks.length === 0) throw new Failure("unusable", "There is no mark in what was given.");
      const heads = headsOf(head, new Set(marks.map(({ key }) => key.chainId)));
      const anchorOf = datedBy(records, heads);
      await withStore(options, async (opened) => {
        await ensureIdentity(opened);
        const { minimalBlockDelay } = opened.settings.watermarks;
        const dates: Dates = { anchorOf, heads, minimalBlockDelay };

        for (const { key, mark } of marks) {
          const { before, after } = await update(opened, key, (row) => imported(row, key, mark, dates));
          if (after === undefined) continue;
          const verb = before !== undefined && describe(before) === describe(after) ? "stays" : "is now";
          terminal.print(
            `${rowName(key)} ${verb} at ${describe(after)}; ${reach(after, opened.settings.watermarks, Date.now())}`,
          );
        }
        if (marks.some(({ key }) => !heads.has(key.chainId))) {
          terminal.say(
            "If a chain is above these levels now, a file's date was too late: import again with --head LEVEL.",
          );
        }
        nameUnknownBytes(terminal, marks);
        await nameMissingKinds(terminal, opened, marks);
      });
    });
  return withExamples(
    command,
    "tezos-signer watermarks import marks.json --config settings.yaml",
    "tezos-signer watermarks import --from signatory watermark_v2 \\",
    "    --config settings.yaml",
    "tezos-signer watermarks import --from octez block_high_watermarks \\",
    "    preattestation_high_watermarks attestation_high_watermarks \\",
    "    --head 9123456 --config settings.yaml",
    "tezos-signer watermarks import --from tezzigator items.json \\",
    "    --chain NetXdQprcVkpaWU --pkh tz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK \\",
    "    --head 9123456 --config settings.yaml",
  );
}

/** Says which chain each level is of that was told. @throws Failure `usage` */
function headsOf({ level, heads = new Map() }: Partial<ToldHeads> = {}, chains: ReadonlySet<string>): Heads {
  const strange = [...heads.keys()].filter((chain) => !chains.has(chain));
  if (strange.length > 0) throw new Failure("usage", `There is no mark of ${strange.join(" or ")} in what was given.`);
  const [chain = "", ...more] = [...chains].filter((each) => !heads.has(each));
  if (level === undefined) return heads;
  if (more.length === 0 && chain !== "") return new Map([...heads, [chain, level]]);
  const names = [...chains].map((each) => `--head ${each}=LEVEL`).join(" ");
  throw new Failure("usage", `The marks are of several chains. Say which chain's level it is: ${names}`);
}

/** @throws Failure `unusable` where it is not known how far a chain has gone on */
function datedBy(records: readonly DatedRecord[], heads: Heads) {
  try {
    return anchorsOf(records, heads, Date.now());
  } catch (error) {
    if (!(error instanceof InterchangeError)) throw error;
    const advice = "Look the chain's level up in an explorer and give it: --head LEVEL. Nothing was changed.";
    throw new Failure("unusable", `${error.message} ${advice}`, { cause: error });
  }
}

/** What dates the marks of an import. */
interface Dates {
  readonly anchorOf: (key: RowKey, mark: Mark) => Anchor;
  readonly heads: Heads;
  readonly minimalBlockDelay: number;
}

/** The row after the import of a mark; undefined where it stays as it is. A head that was told renews each anchor. */
function imported(before: Row | undefined, key: RowKey, mark: Mark, dates: Dates): Row | undefined {
  const { anchorOf, heads, minimalBlockDelay } = dates;
  const merged = merge(before, takenOver({ key, mark }));
  if (before === undefined) return { ...merged, anchor: anchorOf(key, merged) };
  const isNews = merged.level > before.level || heads.has(key.chainId);
  const anchor = isNews ? laxer(before.anchor, anchorOf(key, merged), Date.now(), minimalBlockDelay) : before.anchor;
  return merged === before && anchor === before.anchor ? undefined : { ...merged, anchor };
}

/** Says of which marks only the position is known: there the very request that was signed is refused as well. */
function nameUnknownBytes(terminal: Terminal, marks: readonly NamedMark[]): void {
  const unknown = marks.filter((mark) => takenOver(mark).digest === undefined).map(({ key }) => rowName(key));
  if (unknown.length === 0) return;
  terminal.say(
    `Which bytes were signed there is not known, so nothing at that position is signed again, not even the same: ${unknown.join(", ")}.`,
  );
}

/** Names the kinds that a key has no mark for: without one none is signed, and nobody can tell whether one ever was. */
async function nameMissingKinds(terminal: Terminal, opened: OpenedStore, marks: readonly NamedMark[]): Promise<void> {
  const rows = new Set((await opened.store.list(opened.deadline())).map(({ key }) => rowName(key)));
  const served = marks.filter(({ key }) => /^tz[23]/.test(key.address));
  const places = new Map(served.map(({ key }) => [`${key.address} on ${key.chainId}`, key]));
  for (const [place, key] of places) {
    const missing = CONSENSUS_KINDS.filter((kind) => !rows.has(rowName({ ...key, kind })));
    if (missing.length === 0) continue;
    terminal.say(
      `${place} has no mark for ${missing.join(" and ")}, and without one nothing of the kind is signed. If the key never signed one, \`watermarks init\` makes it, at a level that the chain has not reached, and raises those that are lower: nothing is signed below it.`,
    );
  }
}
