import { Argument, Command } from "commander";
import { PROGRAM } from "../own-command.ts";
import { withExamples } from "./run.ts";
import { type Io, Terminal } from "./terminal.ts";

/** What may stand behind a command's words, as shells complete it. */
interface Place {
  /** The command's words without the program's name. */
  readonly path: string;
  /** Names of further commands, and of options. */
  readonly words: readonly string[];
  /** Values of the options that have a few, by the option's name. */
  readonly values: readonly (readonly [option: string, values: readonly string[]])[];
  /** Commands, each with its summary. */
  readonly commands: readonly (readonly [name: string, summary: string])[];
}

const SHELLS: Readonly<Record<string, (places: readonly Place[]) => string>> = { bash, zsh, fish };

/**
 * Defines `completion`.
 * @param wholeProgram makes the command line whose words are completed
 */
export function completionCommand(io: Io, wholeProgram: () => Promise<Command>): Command {
  const command = new Command("completion")
    .summary("print a script that completes commands in a shell")
    .description(
      `Prints what a shell reads to complete the words of \`${PROGRAM}\`, by that name. For bash: ~/.bash_completion reads it; for zsh, a file _${PROGRAM} in a folder of $fpath; for fish, ~/.config/fish/completions/${PROGRAM}.fish.`,
    )
    .addArgument(new Argument("<shell>", "whose script").choices(Object.keys(SHELLS)))
    .action(async (shell: string) => {
      using terminal = new Terminal(io);
      terminal.print((SHELLS[shell] ?? bash)(placesOf(await wholeProgram())));
    });
  return withExamples(command, "tezos-signer completion bash");
}

/** Every command with what may follow it, the program itself first. */
function placesOf(command: Command, path = ""): Place[] {
  const options = command.options.flatMap(({ long, short }) => [long, short].filter((name) => name != null));
  const values = command.options.flatMap(({ long, argChoices }) =>
    long && argChoices ? [[long, argChoices] as const] : [],
  );
  const names = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const commands = command.commands.map((child) => [child.name(), child.summary()] as const);
  return [
    { path, words: [...commands.map(([name]) => name), ...names, ...options, "--help"], values, commands },
    ...command.commands.flatMap((child) => placesOf(child, path === "" ? child.name() : `${path} ${child.name()}`)),
  ];
}

/** Branches of a `case`: the values of an option, then the words of a command. */
function branches(places: readonly Place[], act: (words: readonly string[]) => string): string {
  return places
    .flatMap(({ path, words, values }) => [
      ...values.map(([option, each]) => `    '${path}:${option}') ${act(each)} ;;`),
      `    '${path}:'*) ${act(words)} ;;`,
    ])
    .join("\n");
}

/** The `case` pattern of every command's words. */
function paths(places: readonly Place[]): string {
  return places
    .filter(({ path }) => path !== "")
    .map(({ path }) => `'${path}'`)
    .join("|");
}

/** What bash and zsh have alike: the words so far that are a command's. @param words the shell's, without the program's name */
function findCommand(places: readonly Place[], words: string): string {
  return `  local command='' word
  for word in ${words}; do
    case "\${command:+$command }$word" in
      ${paths(places)}) command="\${command:+$command }$word" ;;
    esac
  done`;
}

function bash(places: readonly Place[]): string {
  return `# bash completion of ${PROGRAM}, made by \`${PROGRAM} completion\`
_tezos_signer() {
${findCommand(places, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  case "$command:\${COMP_WORDS[COMP_CWORD-1]}" in
${branches(places, (words) => `word='${words.join(" ")}'`)}
  esac
  COMPREPLY=($(compgen -W "$word" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tezos_signer ${PROGRAM}`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef ${PROGRAM}
# zsh completion of ${PROGRAM}, made by \`${PROGRAM} completion\`
_tezos_signer() {
${findCommand(places, `"\${(@)words[2,CURRENT-1]}"`)}
  case "$command:\${words[CURRENT-1]}" in
${branches(places, (words) => `compadd -- ${words.join(" ")}`)}
  esac
  [[ \${words[CURRENT]} == -* ]] || _files
}
compdef _tezos_signer ${PROGRAM}`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, values, commands }) => {
    const here = `-n '_tezos_signer_at "${path}"'`;
    const summaries = new Map(commands);
    const plain = words.filter((word) => !word.startsWith("-"));
    const options = words.filter((word) => word.startsWith("--"));
    return [
      ...plain.map((word) => `complete -c ${PROGRAM} ${here} -a ${word}${describe(summaries.get(word))}`),
      ...options.map((option) => {
        const choices = values.find(([name]) => name === option)?.[1];
        return `complete -c ${PROGRAM} ${here} -l ${option.slice(2)}${choices ? ` -x -a '${choices.join(" ")}'` : ""}`;
      }),
    ];
  });
  return `# fish completion of ${PROGRAM}, made by \`${PROGRAM} completion\`
function _tezos_signer_at
  set -l command
  for word in (commandline -opc)[2..]
    contains -- (string join -- ' ' $command $word) ${paths(places).replaceAll("|", " ")}; and set -a command $word
  end
  test "$command" = "$argv[1]"
end
${lines.join("\n")}`;
}

function describe(summary: string | undefined): string {
  return summary === undefined ? "" : ` -d '${summary.replaceAll("'", "\\'")}'`;
}
