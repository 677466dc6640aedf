/**
 * `npm run verify [-- --stack NAME] [--json]`: whether Azure is as this project assumes, on a stack that is up.
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { codeOf } from "../preflight/report.ts";
import { NoStack } from "../preflight/stack-at-azure.ts";
import { report, type Verification, withoutSecrets } from "./report.ts";
import { USAGE } from "./usage.ts";

const OPTIONS = {
  stack: { type: "string", short: "s" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false, short: "h" },
} as const;

/** As a shell says it of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Runs the command.
 * @returns the exit code: those of preflight, and 130 where Ctrl-C ended it
 */
async function main(args: string[]): Promise<number> {
  let options: { readonly stack?: string | undefined; readonly json: boolean; readonly help: boolean };
  try {
    options = parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE.split("\n")[0]}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const { stack, json } = options;
  const ended = endedBySignals();
  try {
    const where = { cwd: process.cwd(), env: process.env, ...(stack === undefined ? {} : { stack }) };
    const { site } = await import("./sources.ts");
    const { verify } = await import("./verify.ts");
    const found = await site(where, new Date());
    const say = (what: string) => console.error(`verify: ${what}`);
    const { stack: name, production, settings, version, now } = found;
    const rows = await verify(found, ended, say);
    const interrupted = ended.aborted;
    const verification = { stack: name, production, location: settings.location, version, now, rows, interrupted };
    const file = `verify-${name}.txt`;
    writeFileSync(join(where.cwd, file), `${report(verification)}\n`);
    console.log(json ? asJson(verification) : `${report(verification)}\n\nThe same is in ${file}.`);
    return interrupted ? INTERRUPTED : codeOf({ rows });
  } catch (error) {
    console.error(`verify: ${(error as Error).message}`);
    return error instanceof NoStack ? 2 : 3;
  }
}

function asJson(verification: Verification): string {
  const { stack, production, location, version, rows } = withoutSecrets(verification);
  return JSON.stringify({ stack, production, location, version, rows }, null, 2);
}

/** Ctrl-C ends what is under way; what was made is taken away first, for which the signals that follow are waited out. */
function endedBySignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      console.error("verify: it ends, and takes away what it made; what a kill would leave the next run takes away");
      controller.abort(new Error("it was ended"));
    });
  }
  return controller.signal;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
