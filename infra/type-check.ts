/**
 * Whether the program's types fit, before Pulumi runs it: Pulumi takes TypeScript as Node.js does, which does not look.
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Checks the types of this checkout with the compiler that `npm ci` brought, and says so on stderr, since it takes half a
 * minute. The compiler prints its own errors.
 * @param command which command asks, for its lines
 * @returns the compiler's exit code; 0 where all fits
 * @throws Error where there is no compiler
 */
export async function checkTypes(command: string): Promise<number> {
  console.error("Checking the program's types, which takes half a minute");
  const compiler = spawn("tsc", ["--noEmit"], { stdio: ["ignore", 2, 2] });
  try {
    const [code] = await once(compiler, "close");
    if (code === 0) return 0;
    console.error(`${command}: the program's types do not fit, as told above, so nothing was changed`);
    return code ?? 1;
  } catch (cause) {
    throw new Error("the compiler is not there: npm ci", { cause });
  }
}
