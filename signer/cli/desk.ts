import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { PendingRequest } from "../confirmation/confirmations.ts";
import { type OperatorMessage, type ReceivedMessage, readServerMessage } from "../confirmation/messages.ts";
import { reasonOf } from "../errors.ts";
import { Failure } from "./failure.ts";

/** A question of the signer's. */
export interface Pending {
  readonly asked: PendingRequest;
  /** Ends with the reason, a text, when the question is taken back. */
  readonly withdrawn: AbortSignal;
}

/** The connection to the signer: its questions in their order. */
export class Desk implements Disposable {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending & { readonly control: AbortController }>();
  /** What became of answers, by the question's number. */
  readonly #taken = new Map<number, boolean>();
  #wake = Promise.withResolvers<void>();
  #isOpen = true;
  /** Why what listens there is not listened to any more. */
  #problem: Failure | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @throws Failure `unavailable` or `refused` */
  static async open(path: string): Promise<Desk> {
    const socket = connect(path);
    const desk = new Desk(socket);
    const ready = Promise.withResolvers<void>();
    socket.on("error", (error: NodeJS.ErrnoException) => ready.reject(notReached(path, error)));
    socket.on("close", () => {
      desk.#end();
      ready.reject(closed());
    });
    const lines = createInterface({ input: socket });
    // It repeats the socket's errors, and one that nobody listens to would end the process.
    lines.on("error", () => undefined);
    lines.on("line", (line) => {
      const told = readServerMessage(line);
      if (told === undefined) {
        desk.#problem = notUnderstood(path, line);
        ready.reject(desk.#problem);
        socket.destroy();
      } else if (told.event === "ready") ready.resolve();
      else desk.#take(told);
    });
    await ready.promise;
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
    this.#pending.delete(answered.id);
    this.#socket.write(`${JSON.stringify(answered)}\n`);
    for (;;) {
      const accepted = this.#taken.get(answered.id);
      if (accepted !== undefined) return accepted;
      if (!this.#isOpen) throw this.#problem ?? closed();
      await this.#wake.promise;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.end();
  }

  #take(told: Exclude<ReceivedMessage, { event: "ready" }>): void {
    if (told.event === "asked") {
      const control = new AbortController();
      this.#pending.set(told.question.id, { asked: told.question, withdrawn: control.signal, control });
    } else if (told.event === "acknowledged") {
      this.#taken.set(told.id, told.accepted);
    } else {
      this.#withdraw(told.id, told.reason);
    }
    this.#notify();
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
  return new Failure("unavailable", "The signer closed the connection. Start `tezos-signer confirm` again.");
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
  const remedy = "Is the signer running, with confirmation.socket in its settings? `tezos-signer status` says.";
  return new Failure("unavailable", `No signer listens at ${path} (${reasonOf(error)}). ${remedy}`, { cause: error });
}
