import { readFileSync } from "node:fs";
import { z } from "zod";
import { UPDATER_FOLDER } from "../contract.ts";
import type { ReleaseId } from "./own-release.ts";

/** Where the machine's updater writes what it does (docs/machine.md). */
const PATH = `${UPDATER_FOLDER}/state.json`;

const id = z.object({ version: z.string(), sha256: z.string() });
const schema = z.object({
  wanted: id.nullable(),
  step: z.string().nullable(),
  problem: z.string().nullable(),
  refused: id.extend({ reason: z.string(), at: z.string() }).nullable(),
  at: z.string(),
});

/** What the machine's updater does, as it wrote it last; all null on a computer that has none. */
export interface UpdaterState {
  /** The release that userData names. */
  readonly wanted: ReleaseId | null;
  readonly step: string | null;
  readonly problem: string | null;
  /** The release that was taken back, or never taken up. */
  readonly refused: (ReleaseId & { readonly reason: string; readonly at: string }) | null;
  /** ISO 8601. */
  readonly at: string | null;
}

const NONE: UpdaterState = { wanted: null, step: null, problem: null, refused: null, at: null };

/** Reads the updater's state. Never throws: a file that cannot be read is a problem to be shown. */
export function readUpdaterState(path = PATH): UpdaterState {
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return NONE;
    const why = code === undefined ? "it is damaged" : code;
    return { ...NONE, problem: `The updater's state in ${path} cannot be read: ${why}.` };
  }
}
