import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import { program } from "../../signer/cli/program.ts";
import { runCommandLine } from "../../signer/cli/run.ts";

/** A command line, and where it is run. */
interface Told {
  readonly args: readonly string[];
  readonly cwd: string;
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/**
 * A process apart that runs the signer's command lines to their ends, one after another: what a process loads takes most of
 * the time of a command that fails. What ends it, or what nobody catches, fails the test.
 */
export class CommandProcess implements Disposable {
  readonly #child: ChildProcess = fork(import.meta.filename, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  #rest = "";

  constructor() {
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk) => {
        this.#rest += chunk;
      });
    }
  }

  /** Runs one command line. @throws Error where the process ends, or says what the command's own output does not have */
  async run(args: readonly string[], cwd: string): Promise<Ended> {
    const ended = Promise.race([
      once(this.#child, "message"),
      once(this.#child, "close").then(([code]) => {
        throw new Error(`the process ended with ${code}: ${this.#rest}`);
      }),
    ]);
    this.#child.send({ args, cwd } satisfies Told);
    const [answer] = (await ended) as [Ended];
    if (this.#rest !== "") throw new Error(`printed beside its output: ${this.#rest}`);
    return answer;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

/** Gathers what is written. */
function gathering() {
  let text = "";
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  return { stream, text: () => text };
}

async function runHere({ args, cwd }: Told): Promise<Ended> {
  process.chdir(cwd);
  const [out, errors] = [gathering(), gathering()];
  const io = { stdin: Readable.from([]), stdout: out.stream, stderr: errors.stream, env: process.env };
  const code = await runCommandLine(await program(io, args[0]), args, io);
  return { code, out: out.text(), errors: errors.text() };
}

if (import.meta.main) {
  // Each `serve` listens for signals and for a reader that leaves, for as long as its process is there.
  for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);
  process.on("message", async (told) => process.send?.(await runHere(told as Told)));
}
