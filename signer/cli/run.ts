import { type Command, CommanderError } from "commander";
import { reasonOf } from "../errors.ts";
import { PROGRAM } from "../own-command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { Failure, toFailure } from "./failure.ts";
import type { Io } from "./terminal.ts";
import { harmless, WIDTH, wrap } from "./text.ts";

/**
 * Runs a command line. Whatever goes wrong is told in sentences on standard error, without a stack trace.
 * @param args the words after the program's name
 * @returns the exit code, a row of EXIT_CODES
 */
export async function runCommandLine(program: Command, args: readonly string[], io: Io): Promise<number> {
  configure(program, io);
  const written = outputOf(io);
  try {
    await program.parseAsync(asked(args), { from: "user" }).catch((error) => {
      // Help and version end so.
      if (!(error instanceof CommanderError && error.exitCode === 0)) throw error;
    });
    await written();
    return EXIT_CODES.done.code;
  } catch (error) {
    // Commander has said already what is wrong.
    if (error instanceof CommanderError) return EXIT_CODES.usage.code;
    const failure = toFailure(error);
    io.stderr.write(`${wrap(harmless(failure.message))}\n`);
    return EXIT_CODES[failure.exit].code;
  }
}

/** Makes of `help keys import` what shows the help of `import`: commander's own `help` knows one level. */
function asked(args: readonly string[]): readonly string[] {
  const [first, ...command] = args;
  return first === "help" && command.length > 1 ? [...command, "--help"] : args;
}

/**
 * Lets a command do what it was asked for though nobody reads on what it says (`| head`): half an import is worse. What a
 * full disk did not take is an error.
 * @returns what to wait for at the end; it throws Failure `failed` where standard output could not be written
 */
function outputOf({ stdout, stderr }: Io): () => Promise<void> {
  let fault: NodeJS.ErrnoException | undefined;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") fault ??= error;
  });
  stderr.on("error", () => undefined);
  return async () => {
    // An error of a write that was just made is told in the next turn.
    await new Promise((turn) => setImmediate(turn));
    if (fault === undefined) return;
    throw new Failure("failed", `What was to be printed could not be written: ${reasonOf(fault)}.`, { cause: fault });
  };
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

/** Returns a command's whole name, such as `tezos-signer keys wrap`. */
export function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/**
 * Adds examples below a command's help; a long one is given in several lines.
 * @param examples with the program's name; each is shown as the program is called where it runs
 */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  const title = examples.length === 1 ? "Example:" : "Examples:";
  return command.addHelpText("after", ({ command: asked }) => {
    const called = nameOf(topOf(asked));
    const lines = examples.map((example) => example.replace(PROGRAM, called)).flatMap((example) => example.split("\n"));
    return ["", title, ...lines.map((line) => `  ${line}`)].join("\n");
  });
}

function topOf(command: Command): Command {
  return command.parent === null ? command : topOf(command.parent);
}
