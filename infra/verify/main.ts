/**
 * `npm run verify [-- --stack NAME] [--json]`: whether Azure is as this project assumes, on a stack that is up.
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCommandLine } from "../command-line.ts";
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
  const options = readCommandLine(args, OPTIONS, USAGE);
  if (typeof options === "number") return options;
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
    const text = report(verification);
    console.log(json ? asJson(verification) : text);
    const file = `verify-${name}.txt`;
    if (!isWritten(join(where.cwd, file), `${text}\n`)) console.error(`verify: ${file} cannot be written`);
    else if (!json) console.log(`\nThe same is in ${file}.`);
    return interrupted ? INTERRUPTED : codeOf({ rows });
  } catch (error) {
    // What Ctrl-C ends here fails as well, and says something of its own.
    if (ended.aborted) return INTERRUPTED;
    console.error(`verify: ${(error as Error).message}`);
    return error instanceof NoStack ? 2 : 3;
  }
}

/** The minutes of a look are not lost to a folder that cannot be written. */
function isWritten(file: string, text: string): boolean {
  try {
    writeFileSync(file, text);
    return true;
  } catch {
    return false;
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
