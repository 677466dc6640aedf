import { Command, InvalidArgumentError } from "commander";

/**
 * The command line of an `npm run` script. What is wrong with it is told in a sentence, before anything is started, and the
 * process ends with 2, as `tezos-signer` does.
 * @param script its name in package.json
 * @param description what it does, in sentences
 */
export function commandLine(script: string, description: string): Command {
  // Nobody reads on (`| head`): what is left to say is dropped.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return new ScriptCommand(`npm run ${script} --`)
    .description(description)
    .showHelpAfterError(`(for help: npm run ${script} -- --help)`)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** Tells of options that npm took for its own, since no `--` stood before them: it hands them on as variables alone. */
class ScriptCommand extends Command {
  override parse(...given: Parameters<Command["parse"]>): this {
    for (const { long, name } of this.options.map((option) => ({ long: option.long, name: option.name() }))) {
      if (process.env[`npm_config_${name.replaceAll("-", "_")}`] === undefined) continue;
      console.error(`npm has kept ${long} for itself, so it is not heeded. Write: ${this.name()} ${long}`);
    }
    return super.parse(...given);
  }
}

/** Makes the reader of an option that takes a number. @param most the largest that is taken */
export function numberFrom(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return read("a number", /^\d+(\.\d+)?$/, least, most);
}

/** Makes the reader of an option that takes a whole number. */
export function wholeNumberFrom(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return read("a whole number", /^\d+$/, least, most);
}

function read(what: string, form: RegExp, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (form.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `Give ${what} from ${least}${most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`}.`,
    );
  };
}
