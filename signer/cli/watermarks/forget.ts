import { Command } from "commander";
import { rowName } from "../../watermark/stores/store.ts";
import { confirmAddress, type FloorOptions, floorOptions, rowKeys, setFloor } from "../marks/floor.ts";
import { parseRowAddress } from "../marks/options.ts";
import { replaceUnreadable, unreadableRows, warnOfUnreadable } from "../marks/unreadable.ts";
import { describe } from "../marks/words.ts";
import { type OpenedStore, requireIdentity, withStore } from "../open-store.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";

const RESTART = "Restart every signer of this store now.";

/** Defines `watermarks forget`. */
export function forgetCommand(io: Io): Command {
  const command = new Command("forget")
    .summary(
      "lower the marks of a key, or replace what cannot be read: a test network that began anew, a wrong push, a row written by hand",
    )
    .description(
      'Sets the three marks of a key on a chain back to a level: for a test network that was restarted under the same chain id, or after a wrong push (docs/recover.md, "A wrong push"). In any other case this is how a key gets slashed. Where rows of them cannot be read, it shows what is there and replaces these alone, by floors below which nothing is signed ("A row that cannot be read"). Takes the address of any key that the store has marks of, also one that this signer cannot serve (tz1…, tz4…). Restart every signer of the store afterwards: one that remembers the old marks stops by itself.',
    );
  floorOptions(command, parseRowAddress).action(async (options: FloorOptions) => {
    using terminal = new Terminal(io);
    await withStore(options, async (opened) => {
      await requireIdentity(opened);
      const unreadable = await unreadableRows(opened, options);
      if (unreadable.length > 0) {
        warnOfUnreadable(terminal, unreadable, options);
        await confirmAddress(terminal, options.pkh);
        await replaceUnreadable(terminal, opened, unreadable, options);
        terminal.say(RESTART);
        return;
      }
      terminal.warn(
        `Everything that ${options.pkh} has signed on ${options.chain} at or above level ${options.level} will be forgotten, and can be signed again with other bytes.`,
      );
      await warnOfMarksAhead(terminal, opened, options);
      await confirmAddress(terminal, options.pkh);
      await setFloor(terminal, opened, options, (before) => before !== undefined);
      terminal.say(RESTART);
    });
  });
  return withExamples(
    command,
    "tezos-signer watermarks forget --chain NetXnHfVqm9iesp \\",
    "    --pkh tz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK \\",
    "    --level 1 --config settings.yaml",
  );
}

/** Names each mark that is ahead of the chain: what was signed there must be known again before the chain is there. */
async function warnOfMarksAhead(terminal: Terminal, opened: OpenedStore, options: FloorOptions): Promise<void> {
  const { level, head = level - 1 } = options;
  const ahead: string[] = [];
  for (const key of rowKeys(options)) {
    const row = (await opened.store.read(key, opened.deadline()))?.row;
    if (row !== undefined && row.level > head) ahead.push(`  ${rowName(key)}: ${describe(row)}`);
  }
  if (ahead.length === 0) return;
  const whose = options.head === undefined ? "what you name" : "the chain";
  terminal.warn(
    `These marks are ahead of ${whose}. Unless the chain began anew, go on only with a file of them (\`watermarks export --out FILE\`), and import it before the chain reaches the lowest level that was signed ahead: docs/recover.md, "A wrong push".\n${ahead.join("\n")}`,
  );
}
