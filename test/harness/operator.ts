import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { OperatorMessage } from "../../signer/confirmation/messages.ts";
import type { ServerMessage } from "../../signer/confirmation/socket.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { writeLocalKey } from "./local-key.ts";
import { type Answer, compiled, inTerminal, type Session } from "./pseudo-terminal.ts";

const ENTRY = resolve(import.meta.dirname, "../../signer/tezos-signer.js");

const SETTINGS = {
  listen: { port: 0 },
  admin: { port: 0 },
  keys: { kind: "local", path: "keys" },
  watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
  policy: { default: { allow: ["block", "preattestation", "attestation"], confirm: ["transaction", "reveal"] } },
  confirmation: { socket: "confirm.sock" },
};

/** A folder with a test key and settings under which transfers wait for a person; `serve` runs there. */
export async function confirmingFolder(more: object = {}) {
  const folder = await temporaryFolder();
  await writeLocalKey(join(folder.path, "keys"));
  await writeFile(join(folder.path, "settings.yaml"), JSON.stringify({ ...SETTINGS, ...more }));
  return { ...folder, socket: join(folder.path, "confirm.sock"), [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

/** `serve` with the folder's settings. */
export const CONFIG = ["--config", "settings.yaml"];

/**
 * `tezos-signer confirm` in a real terminal.
 * @param onReady called when it waits; what it returns is typed then, before there is any question
 * @param answers what is typed when a prompt shows
 */
export function confirmInTerminal(
  socket: string,
  args: readonly string[],
  onReady: () => string,
  answers: readonly (readonly [prompt: RegExp, answer: Answer])[],
  options: Pick<NonNullable<Parameters<typeof inTerminal>[2]>, "size" | "reports" | "beforeReport"> = {},
): Promise<Session> {
  let isReady = false;
  const ready = () => {
    if (isReady) return "";
    isReady = true;
    return onReady();
  };
  const command = [process.execPath, ENTRY, "confirm", "--socket", socket, ...args];
  return inTerminal(command, [...answers, [/Waiting for signing requests/, ready]], {
    env: compiled(),
    ...options,
  });
}

/** What a person types to confirm the newest question: the characters of its digest that are marked. */
export function code(screen: string): string {
  return /.*\[([0-9a-f]{4})\]/s.exec(screen)?.[1] ?? "";
}

/** The prompt of a question. */
export function promptOf(id: number): RegExp {
  return new RegExp(`Request ${id}, \\d:\\d\\d left> $`);
}

/** A program's own connection to the operators' socket. */
export async function operatorAt(socket: string) {
  const connection = connect(socket);
  const told: ServerMessage[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: connection }).on("line", (line) => {
    told.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  connection.on("error", () => undefined);
  /** The first message of a kind that was not taken yet. */
  const next = <E extends ServerMessage["event"]>(event: E) =>
    new Promise<Extract<ServerMessage, { event: E }>>((found) => {
      const look = () => {
        const at = told.findIndex((message) => message.event === event);
        if (at < 0) return;
        waiting.delete(look);
        found(told.splice(at, 1)[0] as Extract<ServerMessage, { event: E }>);
      };
      waiting.add(look);
      look();
    });
  const answer = (answered: OperatorMessage) => connection.write(`${JSON.stringify(answered)}\n`);
  await next("ready");
  return { next, answer, connection, [Symbol.dispose]: () => connection.destroy() };
}
