import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Has Node.js compile the signer once for all processes that this one starts: with that, a signer that starts takes half of
 * the processor time. Not while coverage is taken: what a cache holds is counted less exactly, and to fill it loads every
 * file, those too that no test reaches.
 * @param name the cache's own, new in each run: another script may run beside this one
 */
export function compileOnce(name: string): void {
  if (process.env.NODE_V8_COVERAGE !== undefined) return;
  const folder = resolve("node_modules/.cache", name);
  rmSync(folder, { recursive: true, force: true });
  process.env.NODE_COMPILE_CACHE = folder;
  spawnSync(process.execPath, [join(import.meta.dirname, "compile.ts")], { stdio: "inherit" });
}
