import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { atEnd } from "./at-end.ts";
import { namespace, type Place } from "./network.ts";

/** Ends a process and waits until it has. */
export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/**
 * Starts a process of the campaign at a place, and hears its lines.
 * @param args a script beside this file, and its words
 */
export function spoken(
  place: Place,
  args: readonly string[],
  hear: (line: Record<string, unknown>) => void,
): AsyncDisposable {
  const [script = "", ...rest] = args;
  const words = ["netns", "exec", namespace(place), process.execPath, join(import.meta.dirname, script), ...rest];
  const child = spawn("ip", words, { stdio: ["ignore", "pipe", "inherit"] });
  const end = atEnd(() => child.kill("SIGKILL"));
  createInterface({ input: child.stdout }).on("line", (line) => hear(JSON.parse(line)));
  return {
    [Symbol.asyncDispose]: async () => {
      await ended(child, "SIGKILL");
      end[Symbol.dispose]();
    },
  };
}
