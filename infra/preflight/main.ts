/**
 * `npm run preflight [-- --stack NAME] [--json]`: whether Azure has, and lets whoever is logged in make, what `up` makes.
 * @module
 */
import { readCommandLine } from "../command-line.ts";
import { preflight } from "./preflight.ts";
import { codeOf, report } from "./report.ts";
import { NoStack } from "./stack-at-azure.ts";
import { USAGE } from "./usage.ts";

const OPTIONS = {
  stack: { type: "string", short: "s" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false, short: "h" },
} as const;

/**
 * Runs the command.
 * @returns the exit code: 0 where all is well, 1 where something is not, 2 for a wrong command or configuration, 3 where
 *   Azure cannot be asked, 4 where nothing is wrong and something is not known
 */
async function main(args: string[]): Promise<number> {
  const options = readCommandLine(args, OPTIONS, USAGE);
  if (typeof options === "number") return options;
  const { stack, json } = options;
  try {
    const where = { cwd: process.cwd(), env: process.env, ...(stack === undefined ? {} : { stack }) };
    const found = await preflight(where, new Date());
    console.log(json ? JSON.stringify(found, null, 2) : report(found));
    return codeOf(found);
  } catch (error) {
    console.error(`preflight: ${(error as Error).message}`);
    return error instanceof NoStack ? 2 : 3;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
