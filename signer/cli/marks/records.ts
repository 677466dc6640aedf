import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { reasonOf } from "../../errors.ts";
import type { DatedRecord } from "../../watermark/interchange/dates.ts";
import { InterchangeError } from "../../watermark/interchange/format.ts";
import { SOURCES, type Source, type SourceName } from "../../watermark/interchange/sources.ts";
import { Failure } from "../failure.ts";
import type { Io } from "../terminal.ts";

const STDIN = "-";
/** https://sqlite.org/fileformat.html#magic_header_string */
const SQLITE_HEADER = "SQLite format 3\0";

/**
 * Reads the records that an import was given.
 * @param paths files; folders, for those signers whose files tell by their names what they hold; `-` for standard input
 * @throws Failure `unusable` or `usage`, saying what to give instead
 */
export async function readRecords(paths: readonly string[], from: SourceName, io: Io): Promise<DatedRecord[]> {
  const source: Source = SOURCES[from];
  const records: DatedRecord[] = [];
  for (const path of paths) {
    if (path === STDIN) records.push(await readStdin(source, from, io));
    else for (const file of await filesAt(path, source)) records.push(await readRecord(file, source, from));
  }
  return records;
}

async function readStdin(source: Source, from: SourceName, { stdin }: Io): Promise<DatedRecord> {
  if (source.isOwnName !== undefined) {
    throw new Failure(
      "unusable",
      `Standard input has no name, and the names of these files tell what is in them. Give ${source.file}, under these names, or their folder.`,
    );
  }
  if (stdin.isTTY) throw new Failure("usage", `Standard input is this terminal: send ${source.file} through a pipe.`);
  const name = "standard input";
  return { name, ...parse(await textOf(stdin), name, source, from) };
}

async function readRecord(path: string, source: Source, from: SourceName): Promise<DatedRecord> {
  const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]).catch((error) => {
    throw unreadable(path, error, source);
  });
  if (text.startsWith(SQLITE_HEADER)) {
    const way =
      "Its own signer's settings open it: stop that signer, run `watermarks export --out FILE` with them, and import FILE";
    throw new Failure("unusable", `${path} is a SQLite database, and no file of marks. ${way}. Nothing was changed.`);
  }
  return { name: path, modifiedAt: Math.floor(mtimeMs), ...parse(text, path, source, from) };
}

/** The file itself, or those files of a folder that bear this signer's names. */
async function filesAt(path: string, source: Source): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTDIR") return undefined;
    throw unreadable(path, error, source);
  });
  if (entries === undefined) return [path];
  const own = entries.filter((entry) => !entry.isDirectory() && source.isOwnName?.(entry.name));
  if (own.length > 0) return own.map(({ name }) => join(path, name)).sort();
  const which = source.isOwnName === undefined ? "is a folder" : "is a folder without a file of this signer";
  throw new Failure("unusable", `${path} ${which}. Give ${source.file}.`);
}

function parse(text: string, name: string, source: Source, from: SourceName) {
  try {
    return source.read(text, name);
  } catch (error) {
    if (!(error instanceof InterchangeError)) throw error;
    const advice = from === "tezos-signer" ? " Where another signer wrote it, say which by --from." : "";
    throw new Failure("unusable", `${name} cannot be used. ${error.message}${advice} Nothing was changed.`, {
      cause: error,
    });
  }
}

function unreadable(path: string, error: NodeJS.ErrnoException, { file, isOwnName }: Source): Failure {
  const why = `${path} cannot be read: ${reasonOf(error)}.`;
  if (error.code !== "ENOENT") return new Failure("unusable", why, { cause: error });
  const advice = isOwnName?.(path)
    ? "A signer makes such a file with the first signature of its kind or chain: leave it out if there never was one. Of a folder, the files that are there are taken."
    : `Give ${file}.`;
  return new Failure("unusable", `${why} ${advice}`, { cause: error });
}
