/** Where the reader of docs/keys.md types a command. */
export type Place = "online" | "offline";

/** A command of the page, as the reader types it. */
export interface Command {
  readonly place: Place;
  /** One, or more where a backslash continues it. */
  readonly lines: readonly string[];
  /** Its lines in one, without a comment, for the eye. */
  readonly title: string;
}

const FENCES = /^( *)```(.*)\n([\s\S]*?)^ *```$/gm;

/**
 * Reads the commands of a page in Markdown: each block of `bash` begins with a comment that names its place.
 * @throws Error for a block that says neither what it is nor where it is typed
 */
export function commandsOf(page: string): Command[] {
  return [...page.matchAll(FENCES)].flatMap(([, indent = "", language, content = ""]) => {
    if (language === "text") return [];
    const [first = "", ...lines] = content
      .replaceAll(new RegExp(`^${indent}`, "gm"), "")
      .trimEnd()
      .split("\n");
    const place = /^# (online|offline)$/.exec(first)?.[1];
    if (language !== "bash" || place === undefined) {
      throw new Error(`This block is neither text nor bash that begins with "# online" or "# offline":\n${content}`);
    }
    return joined(lines).map((each) => ({ place: place as Place, lines: each, title: titleOf(each) }));
  });
}

/** Puts continued lines together. */
function joined(lines: readonly string[]): string[][] {
  const commands: string[][] = [];
  let isContinued = false;
  for (const line of lines) {
    if (isContinued) commands.at(-1)?.push(line);
    else commands.push([line]);
    isContinued = line.endsWith("\\");
  }
  return commands;
}

function titleOf(lines: readonly string[]): string {
  return lines
    .map((line) =>
      line
        .replace(/ +# .*$/, "")
        .replace(/\\$/, "")
        .trim(),
    )
    .join(" ");
}
