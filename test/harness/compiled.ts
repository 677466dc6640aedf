import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Has Node.js compile the signer once for all processes that this one starts: with that, a signer that starts takes half of
 * the processor time.
 * @param name the cache's own, new in each run: another script may run beside this one
 */
export function compileOnce(name: string): void {
  const folder = resolve("node_modules/.cache", name);
  rmSync(folder, { recursive: true, force: true });
  process.env.NODE_COMPILE_CACHE = folder;
  spawnSync(process.execPath, [join(import.meta.dirname, "compile.ts")], { stdio: "inherit" });
}
