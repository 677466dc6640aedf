import { createReadStream } from "node:fs";
import { text as textOf } from "node:stream/consumers";
import { Command, Option } from "commander";
import { reasonOf } from "../../errors.ts";
import { checkNewFile, writeNewFile } from "../../key-files/key-file.ts";
import { ownCommand } from "../../own-command.ts";
import { ConversionError, type Note, type NoteKind } from "../../settings/conversion/conversion.ts";
import {
  MOST_CHARACTERS,
  SETTINGS_SOURCES,
  type SettingsSource,
  type SettingsSourceName,
} from "../../settings/conversion/sources.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { harmless, wrap } from "../text.ts";

/** Defines `settings convert`. */
export function convertCommand(io: Io): Command {
  const command = new Command("convert")
    .summary("make settings of another signer's")
    .description(
      "Writes this signer's settings from another signer's, and reports what has no equivalent and why, what is stricter or laxer here, and what is left to do by hand. Passwords and keys are named and never copied. Where something that kept strangers out has no equivalent, the settings listen to this computer alone. docs/coming-from.md says in which order a signer is replaced.",
    )
    .argument("<files...>", "what the other signer is set up by")
    .addOption(
      new Option("--from <signer>", "whose settings they are")
        .choices(Object.keys(SETTINGS_SOURCES))
        .makeOptionMandatory(),
    )
    .option("--out <file>", "a new file; standard output by default")
    .action(async (files: string[], { from, out }: { from: SettingsSourceName; out?: string }) => {
      using terminal = new Terminal(io);
      if (out !== undefined) await checkNewFile(out);
      const source: SettingsSource = SETTINGS_SOURCES[from];
      if (files.length > source.files) throw new Failure("usage", `Those are too many files: give ${source.file}.`);
      const texts = await Promise.all(files.map((file) => read(file, source)));
      const { settings, notes } = convert(source, texts, files);
      const report = harmless(wordReport(notes));
      const text = `# Made by \`${ownCommand(`settings convert --from ${from}`)}\`.\n${commented(report)}\n${settings}`;
      if (out === undefined) terminal.print(text.trimEnd());
      else await writeNewFile(out, text);
      terminal.say(report);
    });
  return withExamples(
    command,
    "tezos-signer settings convert --from signatory signatory.yaml \\\n    --out settings.yaml",
    "tezos-signer settings convert --from octez-signer octez-signer.service \\\n    authorized_keys",
  );
}

function convert(source: SettingsSource, [first = "", ...others]: readonly string[], files: readonly string[]) {
  try {
    return source.convert(first, others);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    const mistakes = error.message.replaceAll(/^/gm, "  ");
    throw new Failure("unusable", `${files.join(" and ")} cannot be converted:\n${mistakes}\nGive ${source.file}.`, {
      cause: error,
    });
  }
}

async function read(path: string, { file }: SettingsSource): Promise<string> {
  const text = await textOf(createReadStream(path, { end: MOST_CHARACTERS })).catch((error: NodeJS.ErrnoException) => {
    throw new Failure("unusable", `${path} cannot be read: ${reasonOf(error)}. Give ${file}.`, { cause: error });
  });
  if (text.length <= MOST_CHARACTERS) return text;
  throw new Failure("unusable", `${path} is too long: it has more than ${MOST_CHARACTERS} characters. Give ${file}.`);
}

const TITLES = {
  "by-hand": "To do by hand, before it signs:",
  laxer: "Laxer than before:",
  stricter: "Stricter than before:",
  lost: "Without an equivalent:",
} as const satisfies Record<NoteKind, string>;

/** Words a report, the most urgent first. */
function wordReport(notes: readonly Note[]): string {
  const kinds = Object.keys(TITLES) as NoteKind[];
  const parts = kinds.flatMap((kind) => {
    const own = notes.filter((note) => note.kind === kind).map(({ place, text }) => `- ${place}: ${text}`);
    return own.length === 0 ? [] : [`${TITLES[kind]}\n${[...new Set(own)].join("\n")}`];
  });
  return parts.join("\n\n");
}

function commented(report: string): string {
  return wrap(report)
    .replaceAll(/^(?=.)/gm, "# ")
    .replaceAll(/^$/gm, "#");
}
