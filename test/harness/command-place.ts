import { type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { writeLocalKey } from "./local-key.ts";

export const ROOT = resolve(import.meta.dirname, "../..");
export const ENTRY = join(ROOT, "signer/tezos-signer.js");

/** Where standard output goes: it is read, or it has no reader, or the first line's reader leaves, or its disk is full. */
export type Sink = "read" | "closed" | "first line" | "/dev/full";

/** A command that should end and does not is ended, so that its test fails and leaves nothing behind. */
export const BOUND = "timeout --kill-after 1 90";

const SINKS: Readonly<Record<Sink, string>> = {
  read: `exec ${BOUND} "$@"`,
  closed: `(${BOUND} "$@"; echo "code $?" >&2) | true`,
  "first line": `(${BOUND} "$@"; echo "code $?" >&2) | head -1`,
  "/dev/full": `exec ${BOUND} "$@" > /dev/full`,
};

/** Runs a program in a process of its own, to its end. @param options whose it is */
export async function run(
  args: readonly string[],
  cwd: string,
  sink: Sink = "read",
  options: Pick<SpawnOptions, "uid" | "gid"> = {},
) {
  return finished(["bash", "-c", SINKS[sink], "bash", process.execPath, ...args], cwd, options);
}

/** Runs any command to its end. */
export async function finished([file = "", ...args]: readonly string[], cwd: string, options: SpawnOptions = {}) {
  const child = spawn(file, args, { ...options, cwd, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (errors += chunk));
  const [code] = await once(child, "close");
  return { code, out, errors };
}

/** A folder with everything that a fault needs, and settings that are right but for what a test changes. */
export async function place(changes: object) {
  const folder = await temporaryFolder();
  await writeLocalKey(join(folder.path, "keys"));
  await mkdir(join(folder.path, "folder"));
  await writeFile(join(folder.path, "file"), "no settings\n");
  await writeFile(join(folder.path, "keys.sqlite"), "SQLite format 3\0and more");
  const settings = {
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { kind: "local", path: "keys" },
    watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always" },
    ...changes,
  };
  await writeFile(join(folder.path, "settings.yaml"), JSON.stringify(settings));
  return folder;
}

export const keysAt = (path: string) => ({ keys: { kind: "local", path } });
export const storeAt = (path: string) => ({ watermarks: { kind: "sqlite", path, initialise: "always" } });
export const tls = (cert: string, key: string) => ({ listen: { port: 0, tls: { cert, key } } });

/** What was said, on one line. */
export function sentence(errors: string): string {
  return errors.replaceAll(/\s*\n\s*/g, " ");
}

/** Neither a stack trace, nor the system's word for the fault in place of ours. */
export function expectWords(errors: string): void {
  expect(errors).to.not.match(/^\s+at /m);
  expect(errors).to.not.match(
    /Unexpected error|not foreseen|\bE(?:NOENT|ACCES|PERM|EXIST|ISDIR|NOTDIR|NOSPC|ROFS|IO|LOOP|NAMETOOLONG|PIPE|ADDR[A-Z]+|CONN[A-Z]+)\b/,
  );
}

/** Makes the store that the settings of {@link place} name. */
export async function makeStore(folder: string): Promise<void> {
  const store = new SqliteStore(join(folder, "watermarks.sqlite"));
  await store.establish("id-1");
  await store.close();
}
