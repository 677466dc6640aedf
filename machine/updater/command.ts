import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** How a program ended. */
export interface Ended {
  /** Its exit status; null where a signal ended it or it could not be started. */
  readonly status: number | null;
  /** What it wrote to standard output and standard error. */
  readonly output: string;
}

/** Runs a program to its end. */
export type Run = (program: string, ...args: readonly string[]) => Ended;

/** Runs a program of this machine, in English: what it says is read, as that the disk is full. */
export const run: Run = (program, ...args) => {
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 1_800_000, env });
  return { status, output: `${stdout ?? ""}${stderr ?? ""}${error === undefined ? "" : error.message}`.trim() };
};

/** Starts a program whose output goes where this process's goes. @returns its exit status once it has ended */
export async function start(program: string, ...args: readonly string[]): Promise<number | null> {
  const [status] = (await once(spawn(program, args, { stdio: "inherit" }), "close")) as [number | null];
  return status;
}
