import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { PendingRequest } from "../confirmation/confirmations.ts";
import type { OperatorMessage, ServerMessage } from "../confirmation/socket.ts";
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
      const told: ServerMessage = JSON.parse(line);
      if (told.event === "ready") ready.resolve();
      else desk.#take(told);
    });
    await ready.promise;
    return desk;
  }

  /** The oldest question, once there is one. @throws Failure `unavailable` where the signer has gone */
  async next(): Promise<Pending> {
    for (;;) {
      for (const pending of this.#pending.values()) return pending;
      if (!this.#isOpen) throw closed();
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
      if (!this.#isOpen) throw closed();
      await this.#wake.promise;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.end();
  }

  #take(told: Exclude<ServerMessage, { event: "ready" }>): void {
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

function notReached(path: string, error: NodeJS.ErrnoException): Failure {
  if (error.code === "EACCES") {
    const remedy = "Run this as a member of the socket's group, or with sudo.";
    return new Failure("refused", `This user may not open ${path}. ${remedy}`, { cause: error });
  }
  const remedy = "Is the signer running, with confirmation.socket in its settings? `tezos-signer status` says.";
  return new Failure("unavailable", `No signer listens at ${path} (${reasonOf(error)}). ${remedy}`, { cause: error });
}
