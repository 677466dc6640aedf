import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The memory of a machine: a control group for all of it, and where the kernel gives the machine's systemd no memory
 * controller (control groups of version 1), one for each service with a MemoryMax, as systemd would make it.
 * @module
 */

const ROOT = "/run/limits";
/** How often new processes are looked for, in milliseconds: a release loads for longer before it can take much. */
const PERIOD = 100;

/** Whether systemd limits the services itself. */
const isWhole = () => existsSync(`${ROOT}/cgroup.controllers`);

/** A shell command that puts its own process into a control group with so many bytes of memory, none of them in swap. */
export function limitMemory(bytes: number, name: string): string {
  const group = join(ROOT, name);
  return isWhole()
    ? `mkdir -p ${group} && echo ${bytes} >${group}/memory.max && echo 0 >${group}/memory.swap.max && echo $$ >${group}/cgroup.procs`
    : `mkdir -p ${group} && echo ${bytes} >${group}/memory.limit_in_bytes && echo $$ >${group}/cgroup.procs`;
}

/**
 * Gives each service of a machine the memory that its unit allows, from now on.
 * @param name of the machine's control group
 * @param limitOf asks the machine's systemd for the MemoryMax of a service; bytes, undefined for none
 * @returns a function that ends it
 */
export function limitServices(name: string, limitOf: (service: string) => Promise<number | undefined>): () => void {
  if (isWhole()) return () => undefined;
  const group = join(ROOT, name);
  const seen = new Set<string>();
  const place = async (pid: string) => {
    const service = /\/([\w@.-]+\.service)(\/|$)/m.exec(textOf(`/proc/${pid}/cgroup`))?.[1];
    const bytes = service === undefined ? undefined : await limitOf(service);
    if (service === undefined || bytes === undefined) return;
    mkdirSync(join(group, service), { recursive: true });
    writeFileSync(join(group, service, "memory.limit_in_bytes"), String(bytes));
    writeFileSync(join(group, service, "cgroup.procs"), pid);
  };
  const timer = setInterval(() => {
    const pids = textOf(join(group, "cgroup.procs")).split("\n").filter(Boolean);
    for (const pid of seen) if (!pids.includes(pid)) seen.delete(pid);
    for (const pid of pids.filter((one) => !seen.has(one))) {
      seen.add(pid);
      place(pid).catch(() => seen.delete(pid)); // it has ended, or its service is not there yet
    }
  }, PERIOD);
  return () => clearInterval(timer);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
