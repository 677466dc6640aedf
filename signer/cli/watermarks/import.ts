import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { readOctez, readSignatory, readSignatoryDynamo } from "../../watermark/interchange/foreign.ts";
import { InterchangeError, type NamedMark, readInterchange } from "../../watermark/interchange/format.ts";
import { merge, mergeAll } from "../../watermark/interchange/merge.ts";
import { type Row, rowName } from "../../watermark/stores/store.ts";
import { Failure } from "../failure.ts";
import { configOption, ensureIdentity, type StoreOptions, update, userDataOption, withStore } from "../open-store.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { describe } from "./show.ts";

const SOURCES = {
  "tezos-signer": readInterchange,
  octez: readOctez,
  signatory: readSignatory,
  "signatory-dynamodb": readSignatoryDynamo,
} as const satisfies Record<string, (text: string, path: string) => NamedMark[]>;

interface ImportOptions extends StoreOptions {
  readonly from: keyof typeof SOURCES;
}

/** `watermarks import` */
export function importCommand(io: Io): Command {
  const command = new Command("import")
    .summary("take over marks from a file, never lowering one")
    .description(
      "Takes the higher of what the files and the store know, mark by mark. Where both know other bytes at one position, nothing at that position is signed again. All files are read before anything is written; a store that is not there is made. The other signer must be stopped for good first.",
    )
    .argument("<files...>", "what the other signer wrote; give all its files at once")
    .addOption(
      new Option("--from <signer>", "whose files they are").choices(Object.keys(SOURCES)).default("tezos-signer"),
    )
    .addOption(configOption())
    .addOption(userDataOption())
    .action(async (files: string[], { from, ...options }: ImportOptions) => {
      using terminal = new Terminal(io);
      const marks = mergeAll((await Promise.all(files.map((file) => readMarks(file, from)))).flat());
      if (marks.length === 0) throw new Failure("unusable", "There is no mark in what was given.");
      await withStore(options, async (opened) => {
        await ensureIdentity(opened);
        for (const { key, mark } of marks) {
          const change = (before: Row | undefined): Row | undefined => {
            const merged = merge(before, mark);
            if (merged === before) return undefined;
            const isHigher = before === undefined || merged.level > before.level;
            return { ...merged, anchor: isHigher ? { level: merged.level, at: Date.now() } : before.anchor };
          };
          const { before, after } = await update(opened, key, change);
          const verb = before === after ? "stays" : "is now";
          terminal.print(`${rowName(key)} ${verb} at ${after === undefined ? "nothing" : describe(after)}`);
        }
      });
    });
  return withExamples(
    command,
    "tezos-signer watermarks import marks.json --config settings.yaml",
    "tezos-signer watermarks import --from signatory watermark_v2/NetX….json \\",
    "    --config settings.yaml",
    "tezos-signer watermarks import --from octez block_high_watermarks \\",
    "    preattestation_high_watermarks attestation_high_watermarks \\",
    "    --config settings.yaml",
  );
}

async function readMarks(file: string, from: keyof typeof SOURCES): Promise<NamedMark[]> {
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new Failure("unusable", `${file} cannot be read: ${error.message}.`, { cause: error });
  });
  try {
    return SOURCES[from](text, file);
  } catch (error) {
    if (!(error instanceof InterchangeError)) throw error;
    throw new Failure("unusable", `${file} cannot be used. ${error.message} Nothing was changed.`, { cause: error });
  }
}
