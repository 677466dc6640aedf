import { Command } from "commander";
import type { Row, RowKey } from "../../watermark/stores/store.ts";
import { configOption, requireIdentity, type StoreOptions, userDataOption, withStore } from "../open-store.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

/** `watermarks show` */
export function showCommand(io: Io): Command {
  const command = new Command("show")
    .summary("show every mark")
    .description("Shows the store's id and the highest position that each key has signed, by chain and kind.")
    .addOption(configOption())
    .addOption(userDataOption())
    .action(async (options: StoreOptions) => {
      using terminal = new Terminal(io);
      await withStore(options, async (opened) => {
        const id = await requireIdentity(opened);
        const rows = await opened.store.list(opened.signal);
        terminal.print(table([["Store", id]]));
        for (const [place, marks] of grouped(rows)) terminal.print(`\n${place}\n${table(marks)}`);
        if (rows.length === 0) terminal.say("There is no mark yet.");
      });
    });
  return withExamples(command, "tezos-signer watermarks show --config /etc/tezos-signer/settings.yaml");
}

function grouped(rows: readonly { key: RowKey; row: Row }[]): Map<string, [string, string][]> {
  const groups = new Map<string, [string, string][]>();
  const sorted = [...rows].sort((a, b) => (a.key.address + a.key.chainId < b.key.address + b.key.chainId ? -1 : 1));
  for (const { key, row } of sorted) {
    const place = `${key.address} on ${key.chainId}`;
    groups.set(place, [...(groups.get(place) ?? []), [key.kind, describe(row)]]);
  }
  return groups;
}

/** A row in words. */
export function describe({ level, round, digest, signature }: Row): string {
  const what = digest === undefined ? "by unknown bytes" : `by ${digest.slice(0, 16)}…`;
  // A floor stands just below the first level that may be signed.
  if (digest === undefined && round === 2 ** 31 - 1) return `nothing at or below level ${level}`;
  return `level ${level} round ${round}, ${what}${signature === undefined ? "" : ", signature kept"}`;
}
