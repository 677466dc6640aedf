import { writeFileSync } from "node:fs";

/**
 * Keeps this process's memory out of core files, whatever the computer's limits and core_pattern say: core(5),
 * "Controlling which mappings are written to the core dump". Linux only; elsewhere nothing is done.
 */
export function forbidCoreFiles(): void {
  if (process.platform !== "linux") return;
  // Without /proc there is nothing to set, and the ceremony's other protections stand.
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {}
}
