import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";

/**
 * Keeps this process's memory out of core files, should it crash with a secret in it. Linux only; elsewhere nothing is
 * done. Both are needed (core(5)): a size limit of 0 stops files, but not a pipe to a crash handler, which some systems
 * have; the filter keeps memory out of both, but not the registers, where copies of a secret's bytes linger.
 */
export function forbidCoreFiles(): void {
  if (process.platform !== "linux") return;
  const measures = [
    () => writeFileSync("/proc/self/coredump_filter", "0"),
    // Node has no setrlimit; prlimit is of util-linux, which every Linux distribution has.
    () => execFileSync("prlimit", ["--pid", String(process.pid), "--core=0:0"], { stdio: "ignore" }),
  ];
  for (const measure of measures) {
    // Without /proc or prlimit there is nothing to set, and the ceremony's other protections stand.
    try {
      measure();
    } catch {}
  }
}
