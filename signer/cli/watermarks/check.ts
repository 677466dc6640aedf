import { Command, Option } from "commander";
import { type Row, type RowKey, rowName } from "../../watermark/stores/store.ts";
import { Failure } from "../failure.ts";
import { configOption, requireIdentity, type StoreOptions, userDataOption, withStore } from "../open-store.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";

/** Defines `watermarks check`. */
export function checkCommand(io: Io): Command {
  const command = new Command("check")
    .summary("check that the record is whole")
    .description(
      "Opens the store as the signer does and reads every mark: that the store is the one that the settings name, that each mark can be read, and that none contradicts itself. Changes nothing.",
    )
    .addOption(configOption())
    .addOption(userDataOption())
    .option("--json", "print store and number of marks as JSON")
    .addOption(new Option("-q, --quiet", "print nothing where it is whole").conflicts("json"))
    .action(async ({ json, quiet, ...options }: StoreOptions & { json?: true; quiet?: true }) => {
      using terminal = new Terminal(io);
      await withStore(options, async (opened) => {
        const id = await requireIdentity(opened);
        const rows = await opened.store.list(opened.deadline());
        const faults = rows.flatMap(({ key, row }) => [...faultsOf(key, row)]);
        if (faults.length > 0) throw new Failure("unusable", faults.join("\n"));
        if (json) terminal.printJson({ store: id, marks: rows.length });
        else if (!quiet) terminal.print(`The store ${id} is whole: ${rows.length} marks.`);
      });
    });
  return withExamples(command, "tezos-signer watermarks check --config /etc/tezos-signer/settings.yaml");
}

function* faultsOf(key: RowKey, { level, round, digest, signature }: Row): Iterable<string> {
  const inRange = (value: number) => Number.isInteger(value) && value >= 0 && value < 2 ** 31;
  if (!inRange(level) || !inRange(round))
    yield `The ${rowName(key)} is at ${level}/${round}, an out-of-range position.`;
  if (digest !== undefined && !/^[0-9a-f]{64}$/.test(digest))
    yield `The ${rowName(key)} has a digest that is not 32 bytes.`;
  if (signature === undefined) return;
  if (key.kind !== "block") yield `The ${rowName(key)} keeps a signature, which only blocks do.`;
  if (digest === undefined) yield `The ${rowName(key)} keeps a signature of unknown bytes.`;
  if (!/^[0-9a-f]{128}$/.test(signature)) yield `The ${rowName(key)} keeps a signature that is not 64 bytes.`;
}
