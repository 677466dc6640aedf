import { callsIn, type Words } from "../harness/shell-words.ts";
import { PAGES, textOf } from "./pages.ts";

/**
 * The blocks of the pages that say of themselves that they are shell, and which of them a test can run: those of which every
 * program is here.
 * @module
 */

export interface ShellBlock {
  readonly page: string;
  /** From 1, within the page. */
  readonly at: number;
  readonly code: string;
  /** Why it cannot run here; empty for one that can. */
  readonly elsewhere: readonly string[];
}

/** What a test gives a block: a shell, its tools, and the signer's commands on a store in the block's own folder. */
const HERE =
  `awk base64 cat cd chmod cp echo export grep gunzip gzip head jq mkdir mv sed sort sqlite3 tail tar tr`.split(" ");

/** Programs that a test cannot give it, why, and who runs them instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  az: "asks Azure: named-commands.test.ts holds its words to the real az, run-command.test.ts runs what is sent to a machine",
  on: "asks Azure: run-command.test.ts runs what is sent to a machine",
  ask: "asks Azure",
  row: "asks Azure",
  basename: "goes on with what Azure said",
  basenc: "goes on with what Azure said",
  date: "goes into the stack's file: config-commands.test.ts",
  pulumi: "needs a stack: config-commands.test.ts judges each value, and npm run test:stack has the engine",
  "npm run up": "needs a stack, and Azure: npm run test:stack",
  "npm run preview": "needs a stack, and Azure: npm run test:stack",
  "npm run setup": "asks a person: test/infra/setup",
  "npm run plan": "takes five seconds of Pulumi: test/infra/plan",
  "npm run signer": "reaches a vault, or asks a person: first-hour.ts, and npm run test:stack",
  "tezos-signer status": "asks a signer that runs: test/signer/cli/status.test.ts",
  "npm start": "stays: first-hour.ts",
  "npm ci": "fetches from a registry: first-hour.ts, and .ci/run",
  "npm test": "is what runs this",
  "npm run test:boot": "is another script of .ci/run",
  ".ci/machine-tools": "installs packages: .ci/run",
  git: "asks another computer",
  curl: "asks another computer, or a signer that runs: test/signer/http",
  "octez-client": "is in no registry; test/emulators/octez-client.ts asks as it does",
  journalctl: "needs systemd: npm run test:boot",
  systemctl: "needs systemd: npm run test:boot",
  node: "asks a signer that runs: test/conformance",
  openssl: "belongs to the ceremony: npm run test:boot",
};

/** Pages that are one story from their first line to their last, which another suite types as a whole. */
const STORIES: Readonly<Record<string, string>> = {
  "docs/keys.md": "npm run test:boot types the ceremony",
  "docs/disaster.md": "npm run test:stack types it, with an engine and a fake Azure",
};

/** Every block of shell, by its page and place there. */
export const BLOCKS: readonly ShellBlock[] = PAGES.flatMap((page) =>
  [...textOf(page).matchAll(/^( *)```(?:sh|bash)\n([\s\S]*?)^\1```$/gm)].map(([, , code = ""], at) => {
    const story = STORIES[page];
    return {
      page,
      at: at + 1,
      code,
      elsewhere: story === undefined ? [...new Set(callsOf(code).flatMap(reason))] : [story],
    };
  }),
);

/** Every call of a block, but for what it writes into a file. */
function callsOf(code: string): Words[] {
  const typed = code.replaceAll(/<<'?EOT'?\n[\s\S]*?^EOT$/gm, "").replaceAll(/ *\\\n\s*/g, " ");
  return typed.split("\n").flatMap(callsIn);
}

/** @returns why a call cannot run here, or nothing. @throws Error for a program of which nothing is known */
function reason(words: Words): string[] {
  const [program = "", first = ""] = words;
  if (HERE.includes(program) || (program === "tezos-signer" && first === "watermarks")) return [];
  if (program.endsWith("()") || program === "}") return []; // a function of the page's
  const plain = words.filter((word) => !word.startsWith("-"));
  const name = program === "npm" ? plain.slice(0, first === "run" ? 3 : 2).join(" ") : program;
  const why = ELSEWHERE[name] ?? ELSEWHERE[plain.slice(0, 2).join(" ")];
  if (why !== undefined) return [why];
  throw new Error(
    `Can a test run ${plain.join(" ")}? test/docs/shell-blocks.ts says so of each program that a page calls.`,
  );
}
