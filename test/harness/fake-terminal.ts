import { PassThrough, Writable } from "node:stream";
import type { Command } from "commander";
import { runCommandLine } from "../../signer/cli/run.ts";
import type { Io } from "../../signer/cli/terminal.ts";
import type { Answer } from "./pseudo-terminal.ts";

/** How a command ended and what it wrote. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command in this process, at a terminal that is only pretended; each answer is typed when its prompt shows.
 * @param make the program's top command
 * @param answers as in a pseudo-terminal; `null` means that there is no terminal
 * @param input what comes through a pipe instead, to its end
 */
export async function atTerminal(
  make: (io: Io) => Command,
  args: readonly string[],
  answers: readonly (readonly [prompt: RegExp, answer: Answer])[] | null = [],
  input?: string,
): Promise<Outcome> {
  const stdin = new PassThrough();
  if (input !== undefined) stdin.end(input);
  let stdout = "";
  let stderr = "";
  let unanswered = 0;
  const output = (take: (text: string) => void) => {
    const stream = new Writable({
      write(chunk, _encoding, done) {
        take(chunk.toString());
        done();
      },
    });
    return Object.assign(stream, { isTTY: answers !== null });
  };
  const io: Io = {
    stdin: Object.assign(stdin, { isTTY: answers !== null, setRawMode: () => undefined }),
    stdout: output((text) => {
      stdout += text;
    }),
    stderr: output((text) => {
      stderr += text;
      const answer = answers?.find(([prompt]) => prompt.test(stderr.slice(unanswered)))?.[1];
      if (answer === undefined) return;
      unanswered = stderr.length;
      const typed = typeof answer === "string" ? answer : answer(stderr);
      stdin.write(typed.length === 1 && typed < " " ? typed : `${typed}\r`);
    }),
    env: { TERM: "dumb" },
  };
  const code = await runCommandLine(make(io), args, io);
  return { code, stdout, stderr };
}
