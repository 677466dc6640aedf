import { type Command, CommanderError } from "commander";
import { EXIT_CODES } from "./exit-codes.ts";
import { toFailure } from "./failure.ts";
import type { Io } from "./terminal.ts";
import { harmless, WIDTH, wrap } from "./text.ts";

/**
 * Runs a command line. Whatever goes wrong is told in sentences on standard error, without a stack trace.
 * @param args the words after the program's name
 * @returns the exit code, a row of EXIT_CODES
 */
export async function runCommandLine(program: Command, args: readonly string[], io: Io): Promise<number> {
  configure(program, io);
  try {
    await program.parseAsync(args, { from: "user" });
    return EXIT_CODES.done.code;
  } catch (error) {
    // Commander has said already what is wrong; help and version come here too, with exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done.code : EXIT_CODES.usage.code;
    const failure = toFailure(error);
    io.stderr.write(`${wrap(harmless(failure.message))}\n`);
    return EXIT_CODES[failure.exit].code;
  }
}

/** Commands inherit none of this once they are made apart from their parent, so each is told. */
function configure(command: Command, io: Io): void {
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(wrap(text)),
      getOutHelpWidth: () => WIDTH,
      getErrHelpWidth: () => WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError(`(for help: ${nameOf(command)} --help)`);
  for (const child of command.commands) configure(child, io);
}

/** A command's whole name, such as `tezos-signer keys wrap`. */
export function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** Adds examples below a command's help; a long one is given in several lines. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  const title = examples.length === 1 ? "Example:" : "Examples:";
  const lines = examples.flatMap((example) => example.split("\n")).map((line) => `  ${line}`);
  return command.addHelpText("after", ["", title, ...lines].join("\n"));
}
