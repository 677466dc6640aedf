import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { IN_CHECKOUT, PROGRAM } from "../../signer/own-command.ts";
import { sign } from "../emulators/octez-client.ts";
import { startSignerProcess } from "../emulators/signer-process.ts";
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
import { CONFIG, code, confirmInTerminal, confirmingFolder, promptOf } from "../harness/operator.ts";

/**
 * What docs/operate.md shows of the screen, taken from a real signer, a real terminal and an octez-shaped client:
 *   node test/docs/captures.ts
 * takes it anew and puts it into the page.
 * @module
 */

const PAGE = resolve(import.meta.dirname, "../../docs/operate.md");
const ENTRY = resolve(import.meta.dirname, "../../signer/tezos-signer.js");

const CTRL_C = "\x03";
/** Empties the line, and is not an answer. */
const CTRL_U = "\x15";

/** Each capture by its name. */
export async function captures(): Promise<Record<string, string>> {
  await using folder = await confirmingFolder({
    policy: {
      default: { allow: ["block", "preattestation", "attestation"], confirm: ["transaction", "reveal", "delegation"] },
    },
  });
  await using signer = await startSignerProcess(folder.path, CONFIG);
  const address = signer.addresses[0] ?? "";
  const ask = (payload: Uint8Array) => sign(signer.url, address, Buffer.from(payload).toString("hex"));
  const [first, second] = [10n, 11n].map((counter) => ({ source: address, fee: 423n, counter, amount: 500_000n }));

  const absent = (await ask(transfer(first))).message ?? "";
  for (const level of [9_123_456, 9_123_457]) {
    for (const payload of [preattestation({ level }), attestation({ level })]) await ask(payload);
  }
  await ask(block({ level: 9_123_457 }));
  await ask(attestation({ level: 9_123_456 }));
  // A batch whose second operation no plain transfer needs, declined after the transfer was confirmed.
  const batch = operations(transaction({ ...second, destination: OTHER }), delegation(address));
  const asked: Promise<{ message?: string }>[] = [];
  const send = (payload: Uint8Array) => () => {
    asked.push(ask(payload));
    return CTRL_U;
  };
  const session = await confirmInTerminal(folder.socket, [], send(transfer(first)), [
    [promptOf(1), code],
    [/Confirmed: request 1/, send(batch)],
    [promptOf(2), "no"],
    [/Declined: request 2/, CTRL_C],
  ]);
  const declined = (await asked[1])?.message ?? "";
  const { stdout: status } = await promisify(execFile)(process.execPath, [ENTRY, "status", "--admin", signer.adminUrl]);
  // The page is read on the machine, and this runs in a checkout.
  const onMachine = (text: string) => text.replaceAll(IN_CHECKOUT, PROGRAM);
  return { absent: onMachine(absent), confirm: plain(session.screen), declined, status: onMachine(status) };
}

function delegation(source: string): Uint8Array {
  return manager(110, { source, fee: 400n, counter: 12n }, Buffer.from([0]));
}

/** What a person sees: without colours and the bell, each prompt once, and without what the last Ctrl-C leaves. */
function plain(screen: string): string {
  const style = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m|${String.fromCharCode(7)}`, "g");
  return screen
    .replaceAll(style, "")
    .replaceAll(/\^[CU]/g, "")
    .replaceAll(/(Request \d+, \d:\d\d left> )+/g, "$1");
}

const BLOCK = /(<!-- capture: (\w+) -->\n\n```text\n)([\s\S]*?)(\n```)$/gm;

/** The captures that a page shows, by name. */
export function shown(page: string): Record<string, string> {
  return Object.fromEntries([...page.matchAll(BLOCK)].map(([, , name, text]) => [name, text]));
}

/** A text without what differs from one run to the next. */
export function shape(text: string): string {
  return (
    text
      .trim()
      .replaceAll(/tz[123]\w{33}/g, "ADDRESS")
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
      // A digest that goes on in a second line.
      .replaceAll(/([0-9a-f]{40})\n +│ [0-9a-f]+$/gm, "$1")
      .replaceAll(/(\.\.)?[0-9a-f]*\[[0-9a-f]{4}\][0-9a-f]*(\.\.)?/g, "MARKED")
      .replaceAll(/\d:\d\d left> \w*/g, "LEFT")
      .replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b[0-9a-f]{12,64}\b/g, "HEX")
      .replaceAll(/[\d.]+ (ms|s|min)\b/g, "DURATION")
  );
}

if (import.meta.main) {
  const taken = await captures();
  const page = readFileSync(PAGE, "utf8").replaceAll(
    BLOCK,
    (_, before, name, __, after) => `${before}${(taken[name] ?? "").trim()}${after}`,
  );
  writeFileSync(PAGE, page);
}
