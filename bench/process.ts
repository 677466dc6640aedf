import { readdirSync, readFileSync } from "node:fs";

/** Returns the processor time that a process and its children have used so far, in milliseconds, of the threads that they still have. */
export function processorTime(pid: number): number {
  const threads = [pid, ...childrenOf(pid)].flatMap((each) =>
    readdirSync(`/proc/${each}/task`).map((thread) => `/proc/${each}/task/${thread}/schedstat`),
  );
  // The first field counts nanoseconds: Documentation/scheduler/sched-stats.rst.
  return threads.reduce((sum, path) => sum + Number(readOrNone(path).split(" ")[0] ?? 0), 0) / 1e6;
}

/** Returns the memory that a process and its children have in use (RSS), in MiB. */
export function memory(pid: number): number {
  const kib = [pid, ...childrenOf(pid)].map((each) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readOrNone(`/proc/${each}/status`))?.[1] ?? 0),
  );
  return kib.reduce((sum, each) => sum + each, 0) / 1_024;
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

/** A thread may end while it is looked at. */
function readOrNone(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
