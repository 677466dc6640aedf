import { Command } from "commander";
import { checkNewFile, writeNewFile } from "../../key-files/key-file.ts";
import { writeInterchange } from "../../watermark/interchange/format.ts";
import { configOption, requireIdentity, type StoreOptions, userDataOption, withStore } from "../open-store.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";

/** What Azure's run command keeps of a script's output: its end. */
const RUN_COMMAND_BYTES = 4_096;

/** Defines `watermarks export`. */
export function exportCommand(io: Io): Command {
  const command = new Command("export")
    .summary("write every mark to a file")
    .description(
      "Writes every mark in the format of docs/reference/interchange.md. It is old as soon as the signer signs again: export from a signer that is stopped.",
    )
    .addOption(configOption())
    .addOption(userDataOption())
    .option("--out <file>", "a new file; standard output by default")
    .action(async ({ out, ...options }: StoreOptions & { out?: string }) => {
      using terminal = new Terminal(io);
      if (out !== undefined) await checkNewFile(out);
      await withStore(options, async (opened) => {
        const id = await requireIdentity(opened);
        const rows = await opened.store.list(opened.deadline());
        const text = writeInterchange(id, rows, new Date());
        if (out === undefined) terminal.print(text.trimEnd());
        else await writeNewFile(out, text);
        terminal.say(`${rows.length} marks of the store ${id}${out === undefined ? "" : ` are in ${out}`}.`);
        if (out === undefined && text.length > RUN_COMMAND_BYTES) {
          terminal.say(
            `They are ${text.length} bytes. Azure's run command shows the last 4,096: send them through \`gzip -9 | base64 -w 0\` there, as docs/recover.md does.`,
          );
        }
      });
    });
  return withExamples(
    command,
    "tezos-signer watermarks export --config settings.yaml --out marks.json",
    "tezos-signer watermarks export --user-data",
  );
}
