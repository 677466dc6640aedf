import { spawn } from "node:child_process";
import { once } from "node:events";

/** What to type when a prompt shows. @param screen everything shown so far, without carriage returns */
export type Answer = string | ((screen: string) => string);

export interface Session {
  /** Exit code of the program. */
  readonly code: number;
  /** Everything that the terminal showed, standard output and error together, without carriage returns. */
  readonly screen: string;
}

/** How a program asks a terminal where its cursor is. */
const WHERE = "\x1b[6n";

/** What the terminal answers: its last row, and the column after what stands there. @param before what was shown until then */
function here(before: string): string {
  const line = before.slice(Math.max(before.lastIndexOf("\n"), before.lastIndexOf("\r")) + 1);
  return `\x1b[24;${line.length + 1}R`;
}

/** For the environment of a program that may use what `npm test` has compiled: with strace it would be seen to read that. */
export function compiled(): Readonly<Record<string, string>> {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
}

/**
 * Runs a program in a real pseudo-terminal, made by script(1), and types an answer to each prompt.
 * The terminal echoes what is typed unless the program stops it, as a person's does, and says where its cursor is.
 * @param answers a prompt's text and what to type when it shows, in any order; Enter is added, unless the answer is a
 *   control character
 */
export async function inTerminal(
  command: readonly string[],
  answers: readonly (readonly [prompt: RegExp, answer: Answer])[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly size?: { readonly columns: number; readonly rows: number };
    /** Whether it says where its cursor is; it does. */
    readonly reports?: boolean;
    /** What is typed each time just before it says so: while what was written is not yet shown, had it been slow. */
    readonly beforeReport?: string;
  } = {},
): Promise<Session> {
  const { size, reports = true, beforeReport = "" } = options;
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const words = size === undefined ? quoted : `stty cols ${size.columns} rows ${size.rows}; exec ${quoted}`;
  const child = spawn("script", ["--quiet", "--return", "--echo", "always", "--command", words, "/dev/null"], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: "xterm", SHELL: "/bin/sh", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // The program may end before its answer is typed.
  child.stdin.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  let shown = "";
  let screen = "";
  let unanswered = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString("latin1");
    for (let at = shown.indexOf(WHERE); reports && at >= 0; at = shown.indexOf(WHERE)) {
      child.stdin.write(`${beforeReport}${here(shown.slice(0, at))}`);
      shown = shown.slice(0, at) + shown.slice(at + WHERE.length);
    }
    screen = shown.replaceAll("\r", "");
    const answer = answers.find(([prompt]) => prompt.test(screen.slice(unanswered)))?.[1];
    if (answer === undefined) return;
    unanswered = screen.length;
    const typed = typeof answer === "string" ? answer : answer(screen);
    child.stdin.write(typed.length === 1 && typed < " " ? typed : `${typed}\r`);
  });
  const [code] = await once(child, "close");
  return { code, screen: Buffer.from(screen, "latin1").toString("utf8") };
}
