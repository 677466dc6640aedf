import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { stringify } from "yaml";
import { ADMIN_PORT, SIGNER_PORT } from "../../signer/contract.ts";
import { PrivateKey } from "../../signer/key-files/private-key.ts";
import { localPassphrase } from "../../signer/keys/local/keyring.ts";
import { IN_CHECKOUT, PROGRAM } from "../../signer/own-command.ts";
import { sign } from "../emulators/octez-client.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import {
  attestation,
  block,
  manager,
  OTHER,
  operations,
  preattestation,
  transaction,
  transfer,
} from "../fixtures/payloads.ts";
import { quickPem } from "../harness/local-key.ts";
import { code, promptOf } from "../harness/operator.ts";
import { compiled, inTerminal } from "../harness/pseudo-terminal.ts";
import { drawTerminal, TERMINALS } from "./terminal-picture.ts";

/**
 * What pages show of the screen: `npm start`, `confirm` and `status`, each in a terminal of its own, with a fixed key and
 * clocks that stand, so that they are the same each time.
 *   npm run docs:pictures
 * takes them anew, puts the texts into docs/operate.md, and draws the pictures.
 * @module
 */

const ROOT = resolve(import.meta.dirname, "../..");
const PAGE = join(ROOT, "docs/operate.md");
const PICTURES = join(ROOT, "docs/pictures");
const ENTRY = join(ROOT, "signer/tezos-signer.js");
const STANDING = [`--import=${join(ROOT, "test/harness/standing-clock.js")}`];

const CTRL_C = "\x03";
/** Empties the line, and is not an answer. */
const CTRL_U = "\x15";
/** Of the terminal in which the signer runs: wide enough for the line that octez is given, and for the log. */
const WIDE = 108;
const COLUMNS = 80;

/** The settings that `npm start` makes, but for ports that are free. */
const SETTINGS = {
  listen: { port: 0 },
  admin: { port: 0 },
  keys: { kind: "local", path: "keys" },
  watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
  policy: {
    default: { allow: ["block", "preattestation", "attestation"], confirm: ["reveal", "transaction", "delegation"] },
  },
  confirmation: { socket: "confirm.sock" },
};

/** Runs the program in a terminal. @param clock where its clock stands, on a day in November */
type Run = (
  words: readonly string[],
  clock: string,
  answers: Parameters<typeof inTerminal>[1],
  columns?: number,
) => Promise<string>;

/** What is shown, in one run of the product. */
export interface Screens {
  /** Texts of docs/operate.md, by name. */
  readonly texts: Readonly<Record<string, string>>;
  /** Pictures, by the path of each. */
  readonly pictures: Readonly<Record<string, string>>;
}

/** Runs the product and looks at its screens. */
export async function screens(): Promise<Screens> {
  await using folder = await temporaryFolder();
  await firstUse(join(folder.path, ".tezos-signer"));
  const run: Run = async (words, at, answers, columns = COLUMNS) => {
    const { screen } = await inTerminal([process.execPath, ...STANDING, ENTRY, ...words], answers, {
      cwd: folder.path,
      env: { ...compiled(), STANDING_CLOCK: `2026-11-29T${at}Z`, TZ: "UTC" },
      size: { columns, rows: 50 },
    });
    return steady(screen);
  };
  const seen = Promise.withResolvers<Awaited<ReturnType<typeof clients>>>();
  const started = run(
    ["serve"],
    "09:00:00",
    [
      [
        /Ctrl-C stops it\./,
        (screen) => {
          clients(screen, run).then(seen.resolve, seen.reject);
          return CTRL_U;
        },
      ],
      [new RegExp(`level ${LAST} round`), CTRL_C],
    ],
    WIDE,
  );
  const { absent, declined, confirm, status, piped } = await seen.promise;
  const start = await started;
  const [beforeOperator = ""] = start.split(/^.*an operator waits/m);
  const [first = ""] = confirm.split(/^Request 2$/m);
  const shown = [
    ["start", "npm start", beforeOperator, WIDE],
    ["confirm", "npm run signer -- confirm", first, COLUMNS],
    ["status", "npm run signer -- status", status, COLUMNS],
  ] as const;
  return {
    // The page is read on the machine, and this runs in a checkout.
    texts: { absent: onMachine(absent), confirm: plain(confirm), declined, status: onMachine(piped) },
    pictures: Object.fromEntries(
      shown.flatMap(([name, title, screen, columns]) =>
        Object.entries(TERMINALS).map(([ground, palette]) => [
          join(PICTURES, `${name}-${ground}.svg`),
          drawTerminal(title, screen, columns, palette),
        ]),
      ),
    ),
  };
}

/** The level of a request that ends it all. */
const LAST = 9_999_999;

/** What clients ask of the signer, and what is seen meanwhile. @param introduction what it said when it began to listen */
async function clients(introduction: string, run: Run) {
  const [, source = ""] = /Address +(tz3\w+)/.exec(introduction) ?? [];
  const [, url = ""] = /Signer +(\S+)/.exec(introduction) ?? [];
  const [, admin = ""] = /Status +(\S+)\/status/.exec(introduction) ?? [];
  const ask = (payload: Uint8Array) => sign(url, source, Buffer.from(payload).toString("hex"));
  const [first, second] = [10n, 11n].map((counter) => ({ source, fee: 423n, counter, amount: 500_000n }));
  const asked: ReturnType<typeof ask>[] = [];
  const send = (payload: Uint8Array) => () => {
    asked.push(ask(payload));
    return CTRL_U;
  };

  for (const payload of [preattestation({ level: 9_123_456 }), attestation({ level: 9_123_456 })]) await ask(payload);
  const absent = (await ask(transfer(first))).message ?? "";
  // A batch whose second operation no plain transfer needs, declined after the transfer was confirmed.
  const delegation = manager(110, { source, fee: 400n, counter: 12n }, Buffer.from([0]));
  const confirm = await run(["confirm"], "09:00:00", [
    [promptOf(1), code],
    [/Confirmed: request 1/, send(operations(transaction({ ...second, destination: OTHER }), delegation))],
    [promptOf(2), "no"],
    [/Declined: request 2/, CTRL_C],
    [/Waiting for signing requests/, send(transfer(first))],
  ]);
  const declined = (await asked[1])?.message ?? "";
  for (const payload of [block({ level: 9_123_457 }), attestation({ level: 9_123_457 })]) await ask(payload);
  await ask(attestation({ level: 9_123_456 }));
  const words = ["status", "--admin", admin];
  const status = await run(words, "09:00:12", []);
  const { stdout: piped } = await promisify(execFile)(process.execPath, [...STANDING, ENTRY, ...words], {
    env: { ...process.env, STANDING_CLOCK: "2026-11-29T09:00:12Z" },
  });
  await ask(attestation({ level: LAST }));
  return { absent, declined, confirm, status, piped: steady(piped) };
}

/** The folder that `npm start` makes, with the key of a sentence. */
async function firstUse(folder: string): Promise<void> {
  const keys = join(folder, "keys");
  mkdirSync(keys, { recursive: true });
  using key = new PrivateKey("P-256", createHash("sha256").update("the key of the pictures").digest());
  writeFileSync(join(keys, "tz3.pem"), quickPem(key, await localPassphrase(keys)), { mode: 0o600 });
  writeFileSync(join(folder, "settings.yaml"), stringify(SETTINGS), { mode: 0o600 });
}

/** A screen without what is another in each run: free ports are the usual ones, and what a stopwatch measured is a figure. */
function steady(screen: string): string {
  return (
    screen
      .replaceAll(/ --admin http:\/\/127\.0\.0\.1:\d+/g, "")
      .replaceAll(/(Status +http:\/\/127\.0\.0\.1:)\d+/g, `$1${ADMIN_PORT}`)
      .replaceAll(/(http:\/\/127\.0\.0\.1:)(?!9583)\d+/g, `$1${SIGNER_PORT}`)
      .replaceAll(/p50 [\d.]+ ms, p99 [\d.]+ ms/g, "p50 1.5 ms, p99 4.0 ms")
      .replaceAll(/\([\d.]+ ms\)/g, "(3 ms)")
      .replaceAll(/\^[CU]/g, "")
      .replaceAll("\x07", "")
      // A prompt is written anew while its clock runs.
      .replaceAll(/(Request \d+, \d:\d\d left> )+/g, "$1")
  );
}

/** A screen without colours. */
function plain(screen: string): string {
  return stripVTControlCharacters(screen).trim();
}

function onMachine(text: string): string {
  return text.replaceAll(IN_CHECKOUT, PROGRAM).trim();
}

const BLOCK = /(<!-- capture: (\w+) -->\n\n```text\n)([\s\S]*?)(\n```)$/gm;

/** The texts that a page shows, by name. */
export function shown(page: string): Record<string, string> {
  return Object.fromEntries([...page.matchAll(BLOCK)].map(([, , name, text]) => [name, text]));
}

if (import.meta.main) {
  const { texts, pictures } = await screens();
  const page = readFileSync(PAGE, "utf8").replaceAll(
    BLOCK,
    (_, before, name, __, after) => `${before}${texts[name] ?? ""}${after}`,
  );
  writeFileSync(PAGE, page);
  for (const [path, picture] of Object.entries(pictures)) writeFileSync(path, picture);
}
