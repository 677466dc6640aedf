import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Confirmations } from "../../../signer/confirmation/confirmations.ts";
import { ConfirmationSocket } from "../../../signer/confirmation/socket.ts";
import { tez } from "../../../signer/confirmation/values.ts";
import { blake2b256 } from "../../../signer/tezos/crypto/digest.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";
import { SOURCE } from "../../fixtures/payloads.ts";
import { describePayload } from "../../harness/described.ts";
import { hostilePayloads, LOOT, THIEF } from "../../harness/hostile-payloads.ts";
import { logLines } from "../../harness/log-lines.ts";
import { confirmInTerminal, promptOf } from "../../harness/operator.ts";
import { isSound, labelsOf, rowsOf } from "../../harness/question-screen.ts";
import { requires } from "../../harness/requires.ts";

/**
 * What a person has before them when they are asked about hostile payloads, in real terminals of four sizes. The captures
 * are kept; UPDATE_CAPTURES=1 takes them anew.
 * @module
 */

const CAPTURES = join(import.meta.dirname, "../../fixtures/confirm-screens.txt");
const SIZES = [
  { columns: 60, rows: 20 },
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 50 },
];

/** The whole of what was written to a terminal, each time that it asked. */
async function screensOf(size: { columns: number; rows: number }): Promise<readonly (readonly [string, string])[]> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "confirm.sock");
  const { log } = logLines();
  const confirmations = new Confirmations({ logger: log });
  const socket = new ConfirmationSocket(confirmations, log);
  await socket.open(path);
  const payloads = Object.entries(hostilePayloads(size.columns));
  const screens: [string, string][] = [];
  const ask = () => {
    const [, payload] = payloads[screens.length] ?? [];
    if (payload === undefined) return;
    const digest = Buffer.from(blake2b256(payload)).toString("hex");
    // After a no, one client would have to wait.
    const question = { key: SOURCE, client: `203.0.113.${1 + screens.length}`, digest, ...describePayload(payload) };
    confirmations.ask(question, new AbortController().signal).catch(() => undefined);
  };
  let read = 0;
  const answers = payloads.map(([name], index) => {
    const decline = (screen: string) => {
      screens.push([name, Buffer.from(screen.slice(read), "latin1").toString("utf8")]);
      read = screen.length;
      return "no";
    };
    return [promptOf(index + 1), decline] as const;
  });
  const next = payloads.map((_, index) => {
    const goOn = () => {
      if (index === payloads.length - 1) return "\x03";
      ask();
      return "\x15";
    };
    return [new RegExp(`Declined: request ${index + 1}\\.`), goOn] as const;
  });
  const ready = () => {
    ask();
    return "\x15";
  };
  await confirmInTerminal(path, [], ready, [...answers, ...next], { size });
  await socket.close();
  return screens;
}

/** A capture without what differs from one run to the next. */
function still(rows: readonly string[]): string {
  return rows
    .map((row) => row.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "TIME"))
    .map((row) => row.replace(/203\.0\.113\.\d/, "203.0.113.7"))
    .map((row) => row.replace(/(Digest +│ ).*/, "$1..01234567[89ab]cdef0123.."))
    .map((row) => row.replace(/(\d:\d\d left> )+.*/, "5:00 left> "))
    .join("\n");
}

describe("hostile payloads at a terminal", () => {
  const kept = new Map<string, string>();
  for (const size of SIZES) {
    const name = `${size.columns}x${size.rows}`;
    it(`leave destination and amount within the last 20 rows, and no value at column 0, in ${name}`, async function () {
      requires(this, hasProgram("script") && hasProgram("stty"), "script(1) and stty(1) make the pseudo-terminal");
      const screens = await screensOf(size);
      const payloads = hostilePayloads(size.columns);
      expect(screens).to.have.length(10);
      for (const [payload, screen] of screens) {
        const rows = rowsOf(screen, size.columns);
        const labels = labelsOf(describePayload(payloads[payload] ?? Buffer.alloc(0)));
        for (const row of rows) expect(isSound(row, labels), `${payload}: ${JSON.stringify(row)}`).to.equal(true);
        const last = rows.slice(-20);
        kept.set(`${name}, ${payload}`, still(last));
        expect(last.join("\n"), payload)
          .to.match(new RegExp(`${THIEF}[ \\n│]+|${tez(LOOT)}`))
          .and.contain(THIEF);
        expect(last.join("\n"), payload).to.contain(tez(LOOT));
        expect(last.at(-1), payload).to.match(/^Request \d+, \d:\d\d left> /);
      }
    });
  }

  it("look as they are kept in fixtures/confirm-screens.txt", function () {
    requires(this, kept.size === 4 * 10, "the captures were not taken");
    const text = [...kept].map(([name, screen]) => `#### ${name}\n${screen}\n`).join("\n");
    if (process.env.UPDATE_CAPTURES === "1") writeFileSync(CAPTURES, text);
    expect(text).to.equal(readFileSync(CAPTURES, "utf8"));
  });
});
