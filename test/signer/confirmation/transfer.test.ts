import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { tez } from "../../../signer/confirmation/describe.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { publicKey, sign } from "../../emulators/octez-client.ts";
import { type SignerProcess, startSignerProcess } from "../../emulators/signer-process.ts";
import { taquitoReads } from "../../fixtures/operation-examples.ts";
import { attestation, block, transfer } from "../../fixtures/payloads.ts";
import { CONFIG, confirmInTerminal, confirmingFolder, operatorAt } from "../../harness/operator.ts";
import { requires } from "../../harness/requires.ts";

/** Half a tez, as in the guide's test. */
const transferOf = (signer: SignerProcess, counter = 1n) =>
  transfer({ source: signer.addresses[0] ?? "", amount: 500_000n, counter }).toString("hex");
const ask = (signer: SignerProcess, hex: string, options = {}) =>
  sign(signer.url, signer.addresses[0] ?? "", hex, options);
/** What the last person who was asked decided. */
const lastDecision = (signer: SignerProcess) => signer.log.findLast(({ decision }) => decision !== undefined)?.decision;

const QUESTION = /Confirm request \d+\? \[y\/N\] $/;

/** Empties the line, and is not an answer. */
const CTRL_U = "\x15";

describe("the guide's transfer test (one signer for these tests but the last)", () => {
  let folder: Awaited<ReturnType<typeof confirmingFolder>>;
  let signer: SignerProcess;
  before(async () => {
    folder = await confirmingFolder();
    signer = await startSignerProcess(folder.path, CONFIG);
  });
  after(async () => {
    await signer[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it("refuses a transfer while nobody is there, and says what to start", async () => {
    const answer = await ask(signer, transferOf(signer));
    expect(answer).to.include({ status: 403, attempts: 1 });
    expect(answer.message).to.contain("run `tezos-signer confirm` on the signer's machine first");
  });

  it("shows a transfer to a person in a terminal, in the words of Taquito's own reading, and signs it on y", async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    const hex = transferOf(signer);
    let asked: ReturnType<typeof ask> | undefined;
    const session = await confirmInTerminal(
      folder.socket,
      ["--once"],
      () => {
        asked = ask(signer, hex);
        return "";
      },
      [[QUESTION, "y"]],
    );
    const answer = await asked;
    expect(session.code).to.equal(0);
    expect(session.screen).to.match(/Confirmed: request \d+\./);
    const { contents } = (await taquitoReads(Buffer.from(hex, "hex"))) as { contents: Record<string, string>[] };
    const { kind, amount, fee, destination, source, counter } = contents[0] ?? {};
    expect(session.screen).to.contain(
      [
        kind,
        `  source: ${source}`,
        `  fee: ${tez(BigInt(fee ?? ""))}`,
        `  counter: ${counter}`,
        "  gas limit: 2000",
        "  storage limit: 300",
        `  amount: ${tez(BigInt(amount ?? ""))}`,
        `  destination: ${destination}`,
      ].join("\n"),
    );
    const key = await publicKey(signer.url, signer.addresses[0] ?? "");
    expect(verifySignature(hex, key, answer?.signature ?? "")).to.equal(true);
    expect(lastDecision(signer)).to.equal("confirmed");
    expect(JSON.stringify(signer.log)).not.to.contain(answer?.signature);
  });

  it("declines on Enter, and takes no y that was typed before the question", async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    let asked: ReturnType<typeof ask> | undefined;
    const session = await confirmInTerminal(
      folder.socket,
      ["--once", "--json"],
      () => {
        asked = ask(signer, transferOf(signer));
        return "y";
      },
      [[QUESTION, ""]],
    );
    expect(session.code).to.equal(3);
    expect(await asked).to.include({ status: 403, attempts: 1 });
    expect((await asked)?.message).to.contain("A person declined the request");
    const events = session.screen.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
    expect(events.map(({ event, id, confirm }) => [event, id, confirm])).to.deep.equal([
      ["asked", events[0]?.id, undefined],
      ["answered", events[0]?.id, false],
    ]);
    expect(lastDecision(signer)).to.equal("declined");
  });

  it("takes the question back from the terminal when the client gives up", async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
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
          QUESTION,
          () => {
            if (second !== undefined) return "yes";
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
      ],
    );
    expect(session.screen).to.match(/Withdrawn: request \d+, the client gave up\./);
    expect((await second)?.status).to.equal(200);
  });

  it("signs attestations and a block while a transfer waits, none of which waits for it", async () => {
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

  it("refuses whoever waits for a person at once when the signer is stopped", async () => {
    await using folder = await confirmingFolder();
    await using signer = await startSignerProcess(folder.path, CONFIG);
    using operator = await operatorAt(folder.socket);
    const asked = ask(signer, transferOf(signer), { retries: 0 });
    await operator.next("asked");
    const [code, answer] = await Promise.all([signer.end("SIGTERM"), asked]);
    expect(code).to.equal(0);
    expect(answer.status).to.equal(403);
    expect(answer.message).to.contain("the signer stops: run `tezos-signer confirm` again");
  });
});
