import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { reasonOf } from "../../errors.ts";
import type { DatedRecord } from "../../watermark/interchange/dates.ts";
import { InterchangeError } from "../../watermark/interchange/format.ts";
import { type Place, SOURCES, type Source, type SourceName } from "../../watermark/interchange/sources.ts";
import { Failure } from "../failure.ts";
import type { Io } from "../terminal.ts";

const STDIN = "-";
/** https://sqlite.org/fileformat.html#magic_header_string */
const SQLITE_HEADER = "SQLite format 3\0";

/** What an import was told of its files, besides whose they are. */
export interface Given {
  readonly from: SourceName;
  readonly chain?: string;
  readonly keys?: readonly string[];
}

/** A source with what its files leave open. */
interface Reader {
  readonly from: SourceName;
  readonly source: Source;
  readonly place: Place;
}

/**
 * Reads the records that an import was given.
 * @param paths files; folders, for those signers whose files tell by their names what they hold; `-` for standard input
 * @throws Failure `unusable` or `usage`, saying what to give instead
 */
export async function readRecords(paths: readonly string[], given: Given, io: Io): Promise<DatedRecord[]> {
  const reader = readerOf(given);
  const records: DatedRecord[] = [];
  for (const path of paths) {
    if (path === STDIN) records.push(await readStdin(reader, io));
    else for (const file of await filesAt(path, reader.source)) records.push(await readRecord(file, reader));
  }
  return records;
}

/** The options that tell what files may leave open. */
const OPTIONS = { chain: "--chain NetX…", keys: "--pkh tz3…" } as const satisfies Record<keyof Place, string>;

/** @throws Failure `usage` where something is left open, or told twice */
function readerOf({ from, chain, keys }: Given): Reader {
  const source: Source = SOURCES[from];
  for (const part of ["chain", "keys"] as const) {
    const asked = source.asks?.includes(part) === true;
    const told = { chain, keys }[part] !== undefined;
    const option = OPTIONS[part];
    if (asked && !told) throw new Failure("usage", `Its record does not name the ${part}: say which with ${option}.`);
    if (told && !asked)
      throw new Failure("usage", `A record of ${from} names the ${part} itself: leave ${option} out.`);
  }
  return { from, source, place: { chain: chain ?? "", keys: keys ?? [] } };
}

async function readStdin(reader: Reader, { stdin }: Io): Promise<DatedRecord> {
  const { source } = reader;
  if (source.isOwnName !== undefined) {
    throw new Failure(
      "unusable",
      `Standard input has no name, and the names of these files tell what is in them. Give ${source.file}, under these names, or their folder.`,
    );
  }
  if (stdin.isTTY) throw new Failure("usage", `Standard input is this terminal: send ${source.file} through a pipe.`);
  const name = "standard input";
  return { name, ...parse(await textOf(stdin), name, reader) };
}

async function readRecord(path: string, reader: Reader): Promise<DatedRecord> {
  const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]).catch((error) => {
    throw unreadable(path, error, reader.source);
  });
  if (text.startsWith(SQLITE_HEADER)) {
    const way =
      "Its own signer's settings open it: stop that signer, run `watermarks export --out FILE` with them, and import FILE";
    throw new Failure("unusable", `${path} is a SQLite database, and no file of marks. ${way}. Nothing was changed.`);
  }
  return { name: path, modifiedAt: Math.floor(mtimeMs), ...parse(text, path, reader) };
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

function parse(text: string, name: string, { from, source, place }: Reader) {
  try {
    return source.read(text, name, place);
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
