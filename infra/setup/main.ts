/**
 * `npm run setup`: asks what a stack needs, writes its file, and prints the plan and the next command.
 * @module
 */
import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { readCommandLine } from "../command-line.ts";
import { ConfigurationError } from "../config/parse.ts";
import { QUESTIONS } from "./questions.ts";
import { setUp, WrongAnswer } from "./setup.ts";
import { USAGE } from "./usage.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const text = { type: "string" } as const;
const OPTIONS = {
  stack: text,
  ...Object.fromEntries(QUESTIONS.map(({ option }) => [option, text])),
  change: { type: "boolean", default: false },
  help: { type: "boolean", default: false, short: "h" },
} as const;

/** Ctrl-C, or the end of what is typed. */
class Interrupted extends Error {}

/**
 * Runs the command.
 * @param folder the project's, where stacks/ is; the checkout otherwise
 * @returns the exit code, as USAGE has it
 */
export async function main(args: string[], folder = ROOT): Promise<number> {
  const options = readCommandLine(args, OPTIONS, USAGE);
  if (typeof options === "number") return options;
  const { change, help: _, ...given } = options;
  using person = process.stdin.isTTY && process.stdout.isTTY ? atTerminal() : undefined;
  const say = (line: string) => console.log(line);
  try {
    if (person) say("Asks what a stack needs, and writes its file. Nothing is made yet. Ctrl-C leaves nothing.");
    const answered = { given: given as Record<string, string | undefined>, say, ask: person?.ask };
    const done = await setUp(answered, { folder, change, now: Date.now() });
    say(`\nWrote ${done.file}. This is what it would build:\n`);
    const { printPlan } = await import("../plan/print.ts");
    const code = await printPlan({ stack: done.stack, json: false, guide: false, folder });
    say(`\nNext, with az and Pulumi logged in (docs/deploy.md, "Log in"):`);
    say(`  pulumi stack select --create ${done.stack} && npm run up`);
    return code;
  } catch (error) {
    if (error instanceof Interrupted) console.error("\nNothing was written.");
    else if (error instanceof WrongAnswer || error instanceof ConfigurationError) {
      console.error(`setup: ${error.message}\nNothing was written.`);
    } else throw error;
    return error instanceof Interrupted ? 130 : 1;
  }
}

/** Asks at the terminal, until Ctrl-C or Ctrl-D. */
function atTerminal() {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const end = new AbortController();
  lines.once("close", () => end.abort());
  lines.once("SIGINT", () => lines.close());
  return {
    ask: (prompt: string) =>
      lines.question(prompt, { signal: end.signal }).catch((error: Error) => {
        throw end.signal.aborted ? new Interrupted() : error;
      }),
    [Symbol.dispose]: () => lines.close(),
  };
}

// The plan's stand-in for the engine keeps a port open, so the process is ended by hand, once everything is written.
if (import.meta.main) main(process.argv.slice(2)).then((code) => process.stdout.write("", () => process.exit(code)));
