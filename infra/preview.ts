/**
 * `npm run preview [-- ARGUMENTS]`: checks the program's types, and runs `pulumi preview`.
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readForPulumi } from "./command-line.ts";
import { checkTypes } from "./type-check.ts";

const HELP = `npm run preview [-- ARGUMENTS]

Checks the program's types, and runs \`pulumi preview ARGUMENTS\`, which shows what \`npm run up\` would do, and changes
nothing. \`pulumi preview --help\` lists its arguments.`;

const COMMAND = { name: "preview", help: HELP, kept: ["stack", "refresh", "diff"] } as const;

/** @returns the exit code: Pulumi's own; the compiler's where types do not fit; else 1 where Pulumi was not run */
async function main(args: readonly string[]): Promise<number> {
  const done = readForPulumi(COMMAND, args);
  if (done !== undefined) return done;
  try {
    const unfit = await checkTypes("preview");
    if (unfit !== 0) return unfit;
  } catch (error) {
    console.error(`preview: ${(error as Error).message}`);
    return 1;
  }
  // Ctrl-C reaches Pulumi as well, which ends in order and says so; this waits for it.
  process.on("SIGINT", () => {});
  const [code] = await once(spawn("pulumi", ["preview", ...args], { stdio: "inherit" }), "close");
  return code ?? 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
