import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { settledWithin } from "../../deadline.ts";
import { TokenFault } from "./fault.ts";
import { type Answer, FAREWELL, type QuestionName, type Questions } from "./messages.ts";
import { SESSIONS } from "./session-pool.ts";

const ENTRY = fileURLToPath(new URL("token-process.ts", import.meta.url));

/** How long the process may take to begin, its library to be ready, and the token to log in, in milliseconds. */
const OPENING = 30_000;

interface Asked {
  resolve(answer: unknown): void;
  reject(fault: TokenFault): void;
  readonly timer: NodeJS.Timeout;
}

/** A process of ours with a vendor's library in it: what hangs there or crashes takes nothing else with it. */
export class TokenWorker {
  readonly #child: ChildProcess;
  readonly #patience: number;
  readonly #asked = new Map<number, Asked>();
  readonly #ended: Promise<unknown>;
  #end: TokenFault | undefined;
  #count = 0;

  /** @param patience how long an answer may take before the process is ended, in milliseconds; the login has longer */
  constructor(patience: number) {
    this.#patience = patience;
    // A vendor's library finds its own settings by the environment. Its words go where the signer's go.
    this.#child = fork(ENTRY, [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: { ...process.env, UV_THREADPOOL_SIZE: String(SESSIONS) },
    });
    this.#child.on("message", (answer: Answer) => this.#take(answer));
    this.#child.on("error", (error) =>
      this.#fail(new TokenFault("process", `The process with the library: ${error.message}.`)),
    );
    this.#child.on("exit", (code, signal) => {
      this.#fail(
        new TokenFault("process", `The process with the token's library ended (${signal ?? `code ${code}`}).`),
      );
    });
    this.#ended = once(this.#child, "exit").catch(() => undefined);
  }

  /** @throws TokenFault */
  ask<Name extends QuestionName>(name: Name, ask: Questions[Name]["ask"]): Promise<Questions[Name]["answer"]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    this.#count += 1;
    const number = this.#count;
    const patience = name === "open" ? Math.max(OPENING, this.#patience) : this.#patience;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(patience), patience);
      this.#asked.set(number, { resolve: resolve as Asked["resolve"], reject, timer });
      this.#child.send({ number, name, ask }, (error) => {
        if (error) this.#fail(new TokenFault("process", "The process with the token's library is gone."));
      });
    });
  }

  /** Ends the process: gently, then by force. */
  async close(): Promise<void> {
    this.#fail(new TokenFault("process", "The process with the token's library was ended."));
    if (this.#child.connected) this.#child.disconnect();
    await settledWithin(this.#ended, FAREWELL);
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #take(message: Answer): void {
    const asked = this.#asked.get(message.number);
    if (asked === undefined) return;
    this.#asked.delete(message.number);
    clearTimeout(asked.timer);
    if ("fault" in message) asked.reject(new TokenFault(message.fault.kind, message.fault.message));
    else asked.resolve(message.answer);
  }

  #giveUp(patience: number): void {
    this.#fail(new TokenFault("timeout", `The token did not answer within ${patience / 1_000} s.`));
    this.#child.kill("SIGKILL");
  }

  #fail(fault: TokenFault): void {
    this.#end ??= fault;
    for (const { reject, timer } of this.#asked.values()) {
      clearTimeout(timer);
      reject(fault);
    }
    this.#asked.clear();
  }
}
