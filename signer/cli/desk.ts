import { connect, type Socket } from "node:net";
import { readLines } from "../confirmation/lines.ts";
import {
  MOST_MESSAGE,
  MOST_OPERATORS,
  type OperatorMessage,
  type ReceivedMessage,
  readServerMessage,
} from "../confirmation/messages.ts";
import type { PendingRequest } from "../confirmation/question.ts";
import { faultOfSocket, fileOfSocket, isTooLong } from "../confirmation/socket-path.ts";
import { ownCommand } from "../own-command.ts";
import { Failure } from "./failure.ts";

/** A question of the signer's. */
export interface Pending {
  readonly asked: PendingRequest;
  /** Ends with the reason, a text, when the question is taken back. */
  readonly withdrawn: AbortSignal;
}

/** How long a signer has to say that it is one, in milliseconds: it does at once, unless its computer is very busy. */
const PATIENCE = 20_000;

/** The connection to the signer: its questions in their order. */
export class Desk implements Disposable {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending & { readonly control: AbortController }>();
  /** The answer that was sent last, and what became of it. */
  #answered: { readonly id: number; accepted?: boolean } | undefined;
  #wake = Promise.withResolvers<void>();
  #isOpen = true;
  /** Why what listens there is not listened to any more. */
  #problem: Failure | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @throws Failure `unavailable` or `refused` */
  static async open(path: string): Promise<Desk> {
    const socket = connect(fileOfSocket(path));
    const desk = new Desk(socket);
    const ready = Promise.withResolvers<void>();
    socket.on("error", (error: NodeJS.ErrnoException) => ready.reject(notReached(path, error)));
    socket.on("close", () => {
      desk.#end();
      ready.reject(closedAtOnce());
    });
    const silence = setTimeout(() => {
      ready.reject(silent(path));
      socket.destroy();
    }, PATIENCE);
    const refuse = (line: string) => {
      desk.#problem = notUnderstood(path, line);
      ready.reject(desk.#problem);
      socket.destroy();
    };
    const take = (line: string) => {
      const told = readServerMessage(line);
      if (told?.event === "ready") ready.resolve();
      else if (told === undefined || !desk.#take(told)) refuse(line);
    };
    readLines(socket, MOST_MESSAGE, take, refuse);
    await ready.promise.finally(() => clearTimeout(silence));
    return desk;
  }

  /** The oldest question, once there is one. @throws Failure `unavailable` where the signer has gone */
  async next(): Promise<Pending> {
    for (;;) {
      for (const pending of this.#pending.values()) return pending;
      if (!this.#isOpen) throw this.#problem ?? closed();
      await this.#wake.promise;
    }
  }

  /** Sends an answer. @returns whether it was accepted. @throws Failure `unavailable` where the signer has gone */
  async answer(answered: OperatorMessage): Promise<boolean> {
    const sent: { readonly id: number; accepted?: boolean } = { id: answered.id };
    this.#answered = sent;
    this.#pending.delete(answered.id);
    this.#socket.write(`${JSON.stringify(answered)}\n`);
    for (;;) {
      if (sent.accepted !== undefined) return sent.accepted;
      if (!this.#isOpen) throw this.#problem ?? closed();
      await this.#wake.promise;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.end();
  }

  /** @returns false for what no signer says then: it asks one question after another, and acknowledges what was answered */
  #take(told: Exclude<ReceivedMessage, { event: "ready" }>): boolean {
    if (told.event === "asked") {
      if (this.#pending.size > 0) return false;
      const control = new AbortController();
      this.#pending.set(told.question.id, { asked: told.question, withdrawn: control.signal, control });
    } else if (told.event === "acknowledged") {
      if (this.#answered?.id !== told.id) return false;
      this.#answered.accepted = told.accepted;
    } else {
      this.#withdraw(told.id, told.reason);
    }
    this.#notify();
    return true;
  }

  #withdraw(id: number, reason: string): void {
    this.#pending.get(id)?.control.abort(reason);
    this.#pending.delete(id);
  }

  #end(): void {
    this.#isOpen = false;
    for (const id of this.#pending.keys()) this.#withdraw(id, "the signer has gone");
    this.#notify();
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

function closed(): Failure {
  return new Failure("unavailable", `The signer closed the connection. Start \`${ownCommand("confirm")}\` again.`);
}

function closedAtOnce(): Failure {
  return new Failure(
    "unavailable",
    `The signer closed the connection at once: ${MOST_OPERATORS} operators are connected already, or it stops. End a ` +
      `\`${ownCommand("confirm")}\` that nobody needs (\`${ownCommand("status")}\` counts them), then start this one again.`,
  );
}

function silent(path: string): Failure {
  return new Failure(
    "unavailable",
    `What listens at ${path} says nothing: it is no signer, or it hangs. \`${ownCommand("status")}\` says how the signer is.`,
  );
}

/** The beginning of a message, as much as tells what it is. */
const SOME = 60;

function notUnderstood(path: string, line: string): Failure {
  const what = JSON.stringify(line.length > SOME ? `${line.slice(0, SOME)}…` : line);
  return new Failure(
    "unusable",
    `What listens at ${path} is no signer of this release: it sent ${what}. Nothing more is answered there. Name the ` +
      "signer's socket (confirmation.socket in its settings), and run `confirm` of the release that runs there.",
  );
}

function notReached(path: string, error: NodeJS.ErrnoException): Failure {
  if (error.code === "EACCES") {
    const remedy = "Run this as a member of the socket's group, or with sudo.";
    return new Failure("refused", `This user may not open ${path}. ${remedy}`, { cause: error });
  }
  if (isTooLong(error)) {
    return new Failure("unusable", `No signer can listen at ${path}: ${faultOfSocket(error)}.`, { cause: error });
  }
  const remedy = `Is the signer running, with confirmation.socket in its settings? \`${ownCommand("status")}\` says.`;
  return new Failure("unavailable", `No signer listens at ${path} (${faultOfSocket(error)}). ${remedy}`, {
    cause: error,
  });
}
