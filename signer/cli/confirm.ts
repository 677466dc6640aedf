import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { Command } from "commander";
import type { PendingRequest } from "../confirmation/confirmations.ts";
import type { OperatorMessage, ServerMessage } from "../confirmation/socket.ts";
import { CONFIRMATION_SOCKET } from "../contract.ts";
import { Failure } from "./failure.ts";
import { withExamples } from "./run.ts";
import { type Io, Terminal } from "./terminal.ts";

/** `confirm` */
export function confirmCommand(io: Io): Command {
  const command = new Command("confirm")
    .summary("confirm requests by hand")
    .description(
      "Shows the requests that wait for a person (`confirm` in a key's policy) and asks about each; only y confirms. " +
        "Start it first: a request that comes while nobody is here is refused.",
    )
    .option("--socket <path>", "the signer's socket: confirmation.socket in its settings", CONFIRMATION_SOCKET)
    .option("--once", "end after one decision")
    .option("--json", "write questions and decisions to standard output too, one JSON object a line")
    .action(async ({ socket, once, json }: { socket: string; once?: true; json?: true }) => {
      using terminal = new Terminal(io);
      terminal.requireTerminal();
      using desk = await Desk.open(socket);
      const record = (event: object) => json && terminal.print(JSON.stringify(event));
      terminal.say("Waiting for signing requests. Ctrl-C to quit.");
      for (;;) {
        const { asked, withdrawn } = await desk.next();
        record({ event: "asked", ...asked });
        const confirm = await decide(terminal, asked, withdrawn);
        if (confirm === undefined) {
          terminal.say(`Withdrawn: request ${asked.id}, ${withdrawn.reason}.`);
          record({ event: "withdrawn", id: asked.id, reason: withdrawn.reason });
          continue;
        }
        if (!(await desk.answer({ id: asked.id, confirm }))) {
          terminal.say(`Too late: request ${asked.id} does not wait any more.`);
          continue;
        }
        record({ event: "answered", id: asked.id, confirm });
        const outcome = confirm
          ? `Confirmed: request ${asked.id}.`
          : `Declined: request ${asked.id}. Nothing was signed.`;
        if (once && !confirm) throw new Failure("declined", outcome);
        terminal.say(outcome);
        if (once) return;
      }
    });
  return withExamples(command, "tezos-signer confirm", "tezos-signer confirm --once --json");
}

/** @returns undefined where the question was taken back before it was answered */
async function decide(terminal: Terminal, asked: PendingRequest, withdrawn: AbortSignal): Promise<boolean | undefined> {
  const { id, client, since, key, digest, words } = asked;
  await terminal.dropTyped();
  terminal.say(`\nRequest ${id} of ${since}, from ${client}\n  key: ${key}\n  digest: ${digest}`);
  for (const line of words) {
    if (line.startsWith("! ")) terminal.warn(line.slice(2));
    else terminal.say(line);
  }
  try {
    return await terminal.confirm(`Confirm request ${id}?`, withdrawn);
  } catch (error) {
    if (error === withdrawn.reason) return undefined;
    throw error;
  } finally {
    // From here on Ctrl-C is a signal again, and not a key that nobody reads.
    terminal.release();
  }
}

interface Pending {
  readonly asked: PendingRequest;
  /** Ends with the reason, a text, when the question is taken back. */
  readonly withdrawn: AbortSignal;
}

/** The connection to the signer: its questions in their order. */
class Desk implements Disposable {
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
    createInterface({ input: socket }).on("line", (line) => {
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
  return new Failure("unavailable", `No signer listens at ${path} (${error.message}). ${remedy}`, { cause: error });
}
