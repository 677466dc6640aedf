import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { tez } from "../../../signer/confirmation/values.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { publicKey, sign } from "../../emulators/octez-client.ts";
import { type SignerProcess, startSignerProcess } from "../../emulators/signer-process.ts";
import { taquitoReads } from "../../fixtures/operation-examples.ts";
import { attestation, block, transfer } from "../../fixtures/payloads.ts";
import { CONFIG, code, confirmInTerminal, confirmingFolder, operatorAt, promptOf } from "../../harness/operator.ts";
import { requires } from "../../harness/requires.ts";

/** Half a tez, as in the guide's test. */
const transferOf = (signer: SignerProcess, counter = 1n) =>
  transfer({ source: signer.addresses[0] ?? "", amount: 500_000n, counter }).toString("hex");
const ask = (signer: SignerProcess, hex: string, options = {}) =>
  sign(signer.url, signer.addresses[0] ?? "", hex, options);
const decisions = (signer: SignerProcess) =>
  signer.log.flatMap(({ decision, operator }) => (decision === undefined ? [] : [[operator, decision]]));

/** Empties the line, and is not an answer. */
const CTRL_U = "\x15";

describe("the guide's transfer test", () => {
  it("refuses a transfer while nobody is there, and says what to start", async () => {
    await using folder = await confirmingFolder();
    await using signer = await startSignerProcess(folder.path, CONFIG);
    const answer = await ask(signer, transferOf(signer));
    expect(answer).to.include({ status: 403, attempts: 1 });
    expect(answer.message).to.contain("run `npm run signer -- confirm` on the signer's machine first");
  });

  it("shows a transfer to a person in a terminal, in the words of Taquito's own reading, and signs it on the characters of its digest", async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    await using folder = await confirmingFolder();
    await using signer = await startSignerProcess(folder.path, CONFIG);
    const hex = transferOf(signer);
    let asked: ReturnType<typeof ask> | undefined;
    const session = await confirmInTerminal(
      folder.socket,
      ["--once"],
      () => {
        asked = ask(signer, hex);
        return "";
      },
      [[promptOf(1), code]],
    );
    const answer = await asked;
    expect(session.code).to.equal(0);
    expect(session.screen).to.contain("Confirmed: request 1.");
    const { contents } = (await taquitoReads(Buffer.from(hex, "hex"))) as { contents: Record<string, string>[] };
    const { kind, amount, fee, destination, source, counter } = contents[0] ?? {};
    const row = (label: string, value: string | undefined) => `${`  ${label}`.padEnd(20)}│ ${value}\n`;
    expect(session.screen).to.contain(
      `${kind}\n${[
        row("source", source),
        row("fee", tez(BigInt(fee ?? ""))),
        row("counter", counter),
        row("gas limit", "2000"),
        row("storage limit", "300"),
        row("amount", tez(BigInt(amount ?? ""))),
        row("destination", destination),
      ].join("")}`,
    );
    const key = await publicKey(signer.url, signer.addresses[0] ?? "");
    expect(verifySignature(hex, key, answer?.signature ?? "")).to.equal(true);
    expect(decisions(signer)).to.deep.equal([["operator 1", "confirmed"]]);
    expect(JSON.stringify(signer.log)).not.to.contain(answer?.signature);
  });

  it("declines on no, and takes nothing that was typed before the question", async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    await using folder = await confirmingFolder();
    await using signer = await startSignerProcess(folder.path, CONFIG);
    let asked: ReturnType<typeof ask> | undefined;
    const session = await confirmInTerminal(
      folder.socket,
      ["--once", "--json"],
      () => {
        asked = ask(signer, transferOf(signer));
        return "y";
      },
      [[promptOf(1), "no"]],
    );
    expect(session.code).to.equal(3);
    expect(await asked).to.include({ status: 403, attempts: 1 });
    expect((await asked)?.message).to.contain("A person declined the request");
    const events = session.screen.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
    expect(events.map(({ event, id, confirm }) => [event, id, confirm])).to.deep.equal([
      ["asked", 1, undefined],
      ["answered", 1, false],
    ]);
    expect(decisions(signer)).to.deep.equal([["operator 1", "declined"]]);
  });

  it("takes the question back from the terminal when the client gives up", async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    await using folder = await confirmingFolder();
    await using signer = await startSignerProcess(folder.path, CONFIG);
    const hangUp = new AbortController();
    let second: ReturnType<typeof ask> | undefined;
    const session = await confirmInTerminal(
      folder.socket,
      ["--once"],
      () => {
        void ask(signer, transferOf(signer), { signal: hangUp.signal }).catch(() => undefined);
        return "";
      },
      [
        [
          promptOf(1),
          () => {
            hangUp.abort();
            return CTRL_U;
          },
        ],
        [
          /Withdrawn/,
          () => {
            second = ask(signer, transferOf(signer, 2n));
            return "y";
          },
        ],
        [promptOf(2), code],
      ],
    );
    expect(session.screen).to.contain("Withdrawn: request 1, the client gave up.");
    expect((await second)?.status).to.equal(200);
  });

  it("refuses whoever waits for a person at once when the signer is stopped", async () => {
    await using folder = await confirmingFolder();
    await using signer = await startSignerProcess(folder.path, CONFIG);
    using operator = await operatorAt(folder.socket);
    const asked = ask(signer, transferOf(signer), { retries: 0 });
    await operator.next("asked");
    const [code, answer] = await Promise.all([signer.end("SIGTERM"), asked]);
    expect(code).to.equal(0);
    expect(answer.status).to.equal(403);
    expect(answer.message).to.contain("the signer stops: run `npm run signer -- confirm` again");
  });

  it("signs attestations and a block while a transfer waits, none of which waits for it", async () => {
    await using folder = await confirmingFolder();
    await using signer = await startSignerProcess(folder.path, CONFIG);
    using operator = await operatorAt(folder.socket);
    let isAnswered = false;
    const waits = ask(signer, transferOf(signer)).finally(() => {
      isAnswered = true;
    });
    const { question } = await operator.next("asked");
    expect((await ask(signer, block({ level: 9 }).toString("hex"))).status).to.equal(200);
    for (let level = 1; level <= 20; level++) {
      expect((await ask(signer, attestation({ level }).toString("hex"))).status).to.equal(200);
    }
    expect(isAnswered).to.equal(false);
    operator.answer({ id: question.id, confirm: true });
    expect((await waits).status).to.equal(200);
  });
});
