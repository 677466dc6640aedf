import { Command } from "commander";
import type { Settings } from "../../settings/schema.ts";
import { withChainNames } from "../../tezos/chains.ts";
import type { Row, RowKey } from "../../watermark/stores/store.ts";
import { describe, highestNow, reach } from "../marks/words.ts";
import { configOption, requireIdentity, type StoreOptions, userDataOption, withStore } from "../open-store.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

/** Defines `watermarks show`. */
export function showCommand(io: Io): Command {
  const command = new Command("show")
    .summary("show every mark")
    .description(
      "Shows the store's id and the highest position that each key has signed, by chain and kind, and up to which level it could go on now (watermarks.maxStep).",
    )
    .addOption(configOption())
    .addOption(userDataOption())
    .option("--json", "print them as JSON")
    .action(async ({ json, ...options }: StoreOptions & { json?: true }) => {
      using terminal = new Terminal(io);
      await withStore(options, async (opened) => {
        const id = await requireIdentity(opened);
        const rows = await opened.store.list(opened.deadline());
        if (json) {
          terminal.printJson({
            store: id,
            marks: rows.map((each) => facts(each, opened.settings.watermarks, Date.now())),
          });
          return;
        }
        terminal.print(table([["Store", id]]));
        const groups = grouped(rows, opened.settings.watermarks, Date.now());
        for (const [place, marks] of groups) terminal.print(`\n${withChainNames(place)}\n${table(marks)}`);
        if (rows.length === 0) terminal.say("There is no mark yet.");
      });
    });
  return withExamples(command, "tezos-signer watermarks show --config /etc/tezos-signer/settings.yaml");
}

/** A mark for programs. @param now milliseconds since 1970 */
function facts({ key, row }: { key: RowKey; row: Row }, pace: Settings["watermarks"], now: number) {
  const { address, chainId: chain, kind } = key;
  const { level, round, digest = null, signature, anchor } = row;
  const highest = highestNow(row, pace, now) ?? null;
  return {
    address,
    chain,
    kind,
    level,
    round,
    digest,
    signatureKept: signature !== undefined,
    at: new Date(anchor.at).toISOString(),
    highestLevelNow: highest,
  };
}

function grouped(
  rows: readonly { key: RowKey; row: Row }[],
  pace: Settings["watermarks"],
  now: number,
): Map<string, [string, string][]> {
  const groups = new Map<string, [string, string][]>();
  const sorted = [...rows].sort((a, b) => (a.key.address + a.key.chainId < b.key.address + b.key.chainId ? -1 : 1));
  for (const { key, row } of sorted) {
    const place = `${key.address} on ${key.chainId}`;
    groups.set(place, [...(groups.get(place) ?? []), [key.kind, `${describe(row)}; ${reach(row, pace, now)}`]]);
  }
  return groups;
}
