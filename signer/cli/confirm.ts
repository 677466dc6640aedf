import { randomInt } from "node:crypto";
import { Command } from "commander";
import type { PendingRequest } from "../confirmation/question.ts";
import { allLines, blockLines, CODE_LENGTH, firstLines } from "../confirmation/screen.ts";
import { CONFIRMATION_SOCKET } from "../contract.ts";
import { RateLimit } from "../rate-limit.ts";
import { Desk } from "./desk.ts";
import { Failure } from "./failure.ts";
import { withExamples } from "./run.ts";
import { FIRST_USE_SETTINGS, socketHere } from "./settings-source.ts";
import { type Io, type StyledLine, Terminal } from "./terminal.ts";

/** Defines `confirm`. */
export function confirmCommand(io: Io): Command {
  const command = new Command("confirm")
    .summary("confirm requests by hand")
    .description(
      "Shows the requests that wait for a person (`confirm` in a key's policy) and asks about each; only the characters " +
        "of its digest that are marked confirm one. Start it first: a request that comes while nobody is here is refused.",
    )
    .option(
      "--socket <path>",
      `the signer's socket (default: that of ${FIRST_USE_SETTINGS} where this is, else ${CONFIRMATION_SOCKET})`,
    )
    .option("--once", "end after one decision")
    .option("--json", "write questions and decisions to standard output too, one JSON object a line")
    .action(async ({ socket, once, json }: { socket?: string; once?: true; json?: true }) => {
      using terminal = new Terminal(io);
      terminal.requireTerminal();
      requireRoom(terminal);
      using desk = await Desk.open(socket ?? (await socketHere()));
      await terminal.prepare();
      terminal.release();
      const record = (event: object) => json && terminal.printJson(event);
      const bell = new RateLimit(BELL_INTERVAL);
      terminal.say("Waiting for signing requests. Ctrl-C to quit.");
      for (;;) {
        const { asked, withdrawn } = await desk.next();
        record({ event: "asked", ...asked });
        if (bell.pass() !== undefined) terminal.ring();
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

/** Between two rings of the bell, in milliseconds: a client may ask and give up without end. */
const BELL_INTERVAL = 10_000;

/** In less, what is asked would not be on one screen with the prompt. */
const LEAST_COLUMNS = 40;
const LEAST_ROWS = 20;

/** @throws Failure `usage` where a question would not fit */
function requireRoom(terminal: Terminal): void {
  const { columns, rows } = terminal.size;
  if (columns >= LEAST_COLUMNS && rows >= LEAST_ROWS) return;
  const needed = `${LEAST_COLUMNS} columns and ${LEAST_ROWS} rows`;
  throw new Failure("usage", `This terminal has ${columns} columns and ${rows} rows. Make it ${needed} or larger.`);
}

/** So many other answers are a no: a program that types is not to find the code by trying. */
const MOST_MISTAKES = 10;

/** @returns undefined where the question was taken back before it was answered */
async function decide(terminal: Terminal, asked: PendingRequest, withdrawn: AbortSignal): Promise<boolean | undefined> {
  const at = randomInt(Math.max(1, asked.digest.length - CODE_LENGTH + 1));
  const code = asked.digest.slice(at, at + CODE_LENGTH);
  try {
    let mistakes = 0;
    for (let above: "details" | "block" | "mistake" = "details"; mistakes < MOST_MISTAKES; ) {
      const typed = await ask(terminal, asked, withdrawn, at, above);
      if (typed === code) return true;
      if (["n", "no"].includes(typed)) return false;
      if (typed === "all") await page(terminal, asked, withdrawn);
      above = ["all", RESIZED].includes(typed) ? "block" : "mistake";
      if (above === "mistake") mistakes += 1;
    }
    terminal.warn(`${MOST_MISTAKES} answers were wrong, which declines the request.`);
    return false;
  } catch (error) {
    if (error === withdrawn.reason) return undefined;
    throw error;
  } finally {
    // From here on Ctrl-C is a signal again, and not a key that nobody reads.
    terminal.release();
  }
}

/** In place of an answer: the terminal has another size, so the block is to be laid out anew. */
const RESIZED = "\0";

/** Shows the block and asks, once. @param above what stands above the block */
async function ask(
  terminal: Terminal,
  asked: PendingRequest,
  withdrawn: AbortSignal,
  at: number,
  above: "details" | "block" | "mistake",
): Promise<string> {
  requireRoom(terminal);
  const { columns } = terminal.size;
  const { lines, left } = firstLines(asked, columns);
  const shown: Readonly<Record<typeof above, readonly StyledLine[]>> = {
    details: ["", ...lines].map((text) => ({ text })),
    block: [{ text: "" }],
    mistake: [{ text: "Not understood. Nothing was signed." }],
  };
  const resized = new AbortController();
  using _ = terminal.onResize(() => resized.abort(RESIZED));
  const signal = AbortSignal.any([withdrawn, resized.signal]);
  try {
    const block = blockLines(asked, columns, at, left);
    return (await terminal.askUnexpected([...shown[above], ...block], () => prompt(asked), signal)).toLowerCase();
  } catch (error) {
    if (error === RESIZED && !withdrawn.aborted) return RESIZED;
    throw error;
  }
}

function prompt({ id, until }: PendingRequest): string {
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1_000));
  return `Request ${id}, ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left> `;
}

/** Shows everything page by page, until the person has enough of it, or the terminal another size: it is laid out for one. */
async function page(terminal: Terminal, asked: PendingRequest, withdrawn: AbortSignal): Promise<void> {
  const { columns, rows } = terminal.size;
  const lines = allLines(asked, columns);
  const height = rows - 1;
  for (let from = 0; from < lines.length; from += height) {
    if (terminal.size.columns !== columns || terminal.size.rows !== rows) return;
    const to = Math.min(from + height, lines.length);
    terminal.show(lines.slice(from, to).map((text) => ({ text })));
    const answer = await terminal.ask(`-- ${to} of ${lines.length}: Enter, or q -- `, withdrawn);
    if (answer.toLowerCase() === "q") return;
  }
}
