import { lstatSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Logger } from "pino";
import { visibleJson } from "../invisible-characters.ts";
import type { Confirmations } from "./confirmations.ts";
import { readLines } from "./lines.ts";
import { MOST_MESSAGE, MOST_OPERATORS, readOperatorMessage } from "./messages.ts";
import type { Operator, PendingRequest } from "./question.ts";
import { faultOfSocket, fileOfSocket } from "./socket-path.ts";

/**
 * Where operators connect: a Unix socket, never a network port, which its owner and their group alone may open. Each side
 * sends JSON, one object a line.
 * @module
 */

/** What the signer sends. */
export type ServerMessage =
  | { readonly event: "ready" }
  | { readonly event: "asked"; readonly question: PendingRequest }
  | { readonly event: "withdrawn"; readonly id: number; readonly reason: string }
  /** Whether an answer was accepted: one that comes too late is not. */
  | { readonly event: "acknowledged"; readonly id: number; readonly accepted: boolean };

/** Read and write for the owner and their group: whoever may write may answer. */
const UMASK = 0o117;
/** Far above an answer, in characters: who sends more without a line's end is no operator. */
const MOST_ANSWER = 4_096;

/** The operators' socket. It can fail and leaves the signer to its work: `problem` says why nobody can connect. */
export class ConfirmationSocket {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #path = "";
  #problem: string | undefined;
  #connections = 0;

  constructor(confirmations: Confirmations, logger: Logger) {
    this.#server = createServer((socket) => {
      if (this.#sockets.size >= MOST_OPERATORS) {
        socket.destroy();
        return;
      }
      this.#sockets.add(socket.once("close", () => this.#sockets.delete(socket)));
      serve(socket, `operator ${++this.#connections}`, confirmations);
    });
    this.#server.on("error", (error) => {
      this.#problem = `Nobody can connect to confirm requests at ${this.#path}: ${faultOfSocket(error)}.`;
      logger.error(this.#problem);
    });
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Opens the socket; one that a process left behind when it was killed is replaced. @param path at most 107 bytes */
  async open(path: string): Promise<void> {
    this.#path = path;
    try {
      if (await isLeftBehind(path)) unlinkSync(path);
    } catch (error) {
      this.#server.emit("error", error);
      return;
    }
    const before = process.umask(UMASK);
    try {
      await new Promise<void>((resolve) => {
        this.#server.once("error", () => resolve()).listen(fileOfSocket(path), resolve);
      });
    } finally {
      process.umask(before);
    }
  }

  /** Closes the socket and every connection. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** A socket that nobody listens on. @throws Error where something else is there, or somebody listens */
async function isLeftBehind(path: string): Promise<boolean> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (!found.isSocket()) throw new Error("something else of that name is there, and is no socket");
  return await new Promise((resolve, reject) => {
    const socket = connect(fileOfSocket(path), () => {
      socket.destroy();
      reject(new Error("it is another process's"));
    });
    socket.on("error", () => resolve(true));
  });
}

function serve(socket: Socket, name: string, confirmations: Confirmations): void {
  // A question waits here until what was sent before it has been read: who reads slowly is not sent more meanwhile.
  let unsent: PendingRequest | undefined;
  const send = (message: ServerMessage) => {
    socket.write(`${visibleJson(JSON.stringify(message))}\n`, sendQuestion);
    // Who sends answers and reads nothing is disconnected.
    if (socket.writableLength > MOST_MESSAGE) socket.destroy();
  };
  const sendQuestion = () => {
    const question = unsent;
    if (question === undefined || socket.writableLength > 0) return;
    unsent = undefined;
    send({ event: "asked", question });
  };
  const operator: Operator = {
    name,
    show: (question) => {
      unsent = question;
      sendQuestion();
    },
    withdraw: (id, reason) => {
      if (unsent === undefined) send({ event: "withdrawn", id, reason });
      unsent = undefined;
    },
  };
  send({ event: "ready" });
  const detach = confirmations.attach(operator);
  socket.on("close", detach).on("error", () => undefined);
  const refuse = () => void socket.destroy();
  const take = (line: string) => {
    const answered = readOperatorMessage(line);
    if (answered === undefined) {
      refuse();
      return;
    }
    const { id, confirm } = answered;
    send({ event: "acknowledged", id, accepted: confirmations.answer(operator, id, confirm) });
  };
  readLines(socket, MOST_ANSWER, take, refuse);
}
