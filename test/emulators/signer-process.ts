import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ENTRY = resolve(import.meta.dirname, "../../signer/tezos-signer.js");

/** A temporary folder that goes with its scope. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "tezos-signer-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface SignerProcess extends AsyncDisposable {
  readonly url: string;
  readonly adminUrl: string;
  readonly addresses: readonly string[];
  readonly child: ChildProcess;
  /** Every line of the log so far, parsed. */
  readonly log: readonly Record<string, unknown>[];
  /** What was printed to standard output so far. */
  output(): string;
  /** Sends a signal and waits for the end. @returns the exit code, or the signal that ended it */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/**
 * The real program in a process of its own, listening.
 * @param cwd where relative paths of the settings begin
 * @param args after `serve`
 * @param entry the program, where it is not this checkout's
 * @throws Error with what it printed, where it ends before it listens
 */
export async function startSignerProcess(
  cwd: string,
  args: readonly string[] = [],
  env = {},
  entry = ENTRY,
): Promise<SignerProcess> {
  const child = spawn(process.execPath, [entry, "serve", ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: Record<string, unknown>[] = [];
  let output = "";
  let errors = "";
  const introduced = new Promise<void>((done) => {
    child.stdout?.on("data", (chunk) => {
      output += chunk;
      if (output.includes("\nSettings ")) done();
    });
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const listening = await new Promise<Record<string, unknown> | undefined>((found) => {
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
      if (!line.startsWith("{")) {
        errors += `${line}\n`;
        return;
      }
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry.msg === "listening") found(entry);
    });
    void exited.then(() => found(undefined));
  });
  if (listening === undefined) {
    const [code] = await exited;
    throw new Error(`exit ${code}: ${errors}${output}`);
  }
  await introduced;
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const [code, by] = await exited;
    return code ?? by;
  };
  return {
    url: String(listening.url),
    adminUrl: String(listening.admin),
    addresses: listening.keys as string[],
    child,
    log,
    output: () => output,
    end,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) await end("SIGKILL");
    },
  };
}
