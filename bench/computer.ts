import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";

/** Where and when a run was measured. */
export interface Computer {
  readonly processor: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  /** Processes that wanted a core in the last minute, at the beginning: other work disturbs what is measured. */
  readonly load: number;
  /** Share of processor time that the host gave to others, since a `CpuTimes`. */
  readonly stolen: () => number;
}

/** Describes this computer. */
export function thisComputer(): Computer {
  const before = cpuTimes();
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `Linux ${release().split("-")[0]}, Node.js ${process.versions.node}`,
    load: loadavg()[0] ?? 0,
    stolen: () => {
      const now = cpuTimes();
      return (now.stolen - before.stolen) / Math.max(1, now.all - before.all);
    },
  };
}

function cpuTimes(): { readonly stolen: number; readonly all: number } {
  // user nice system idle iowait irq softirq steal: proc(5).
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const fields = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { stolen: fields[7] ?? 0, all: fields.reduce((sum, each) => sum + each, 0) };
}
