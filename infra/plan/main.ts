/**
 * `npm run plan [-- --stack NAME] [--json] [--guide]`: what `up` would build, without an Azure account and without Pulumi's CLI;
 * of the example where no stack is named.
 * @module
 */
import { readCommandLine } from "../command-line.ts";
import { USAGE } from "./usage.ts";

const OPTIONS = {
  stack: { type: "string" },
  json: { type: "boolean", default: false },
  guide: { type: "boolean", default: false },
  help: { type: "boolean", default: false, short: "h" },
} as const;

const HELP = `Prints what \`up\` would build. Contacts nothing, changes nothing.
Without --stack it draws the example, examples/stack.yaml.
--guide names beside each resource what it replaces of the old guide (docs/guide.md).`;

/**
 * Prints the plan of a stack, or what is wrong with the command.
 * @param folder the project's, where stacks/ is; the checkout otherwise
 * @returns the process's exit code: 1 for mistakes, 2 for a program that breaks an invariant
 */
export async function main(args: string[], folder?: string): Promise<number> {
  const options = readCommandLine(args, OPTIONS, `${USAGE}\n\n${HELP}`);
  if (typeof options === "number") return options === 0 ? 0 : 1;
  const { stack, json, guide } = options;
  try {
    // Pulumi takes a second to load, which whoever asks for help need not wait.
    const { printPlan } = await import("./print.ts");
    return await printPlan({ stack, json, guide, folder });
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 1;
  }
}

// Nobody reads on (`| head`): what is left to say is dropped.
if (import.meta.main) {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

// The stand-in for the engine keeps a port open, so the process is ended by hand, once everything is written.
if (import.meta.main) main(process.argv.slice(2)).then((code) => process.stdout.write("", () => process.exit(code)));
