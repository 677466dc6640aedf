import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { SignerError } from "../../../../signer/errors.ts";
import type { Fault } from "../../../emulators/tezio/faults.ts";
import { attestation, block, transfer } from "../../../fixtures/payloads.ts";
import { requiresBoard } from "../../../harness/board.ts";
import { rejection } from "../../../harness/rejection.ts";
import { type OpenedBoard, openBoard } from "./open-board.ts";

const SOURCE = "tz3ZL92LXvTT5kKNpz6GAAfEQ67Y3APek8ui";
const OPERATION = transfer({ source: SOURCE });

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

const kinds = ({ lines }: OpenedBoard) => lines.map(({ fault }) => fault).filter(Boolean);

/** What a board, its cable or its chip does to one request, by what is logged of it. */
const BROKEN: readonly (readonly [what: string, fault: Fault, kind: string])[] = [
  ["an answer that is cut", { kind: "cut", at: 30 }, "garbled"],
  ["an answer of which a bit is turned", { kind: "flip-reply", at: 20 }, "garbled"],
  ["a board that is unplugged before it signs", { kind: "unplugged-before" }, "unplugged"],
  ["a board that is unplugged within its answer", { kind: "unplugged-within", at: 30 }, "unplugged"],
  ["a board that is unplugged after it has signed", { kind: "unplugged-after" }, "unplugged"],
];

describe("faults of a Tezio board", function () {
  this.timeout(60_000);
  let opened: OpenedBoard;
  let level = 0;

  before(function () {
    requiresBoard(this);
  });
  beforeEach(async () => {
    opened = await openBoard();
    level += 1;
  });
  afterEach(() => opened?.[Symbol.asyncDispose]());

  for (const [what, fault, kind] of BROKEN) {
    it(`send a vote once: ${what}`, async () => {
      opened.board.faults.script([{ ...fault, on: "sign" }]);
      const lost = await rejection(opened.sign(attestation({ level })), SignerError);
      expect(lost.code).to.equal("vault-unavailable");
      // Within an answer the part that came, its end, or the time may be what is seen first.
      if (fault.kind === "unplugged-within") expect(kinds(opened)).to.have.length(1);
      else expect(kinds(opened)).to.deep.equal([kind]);
      expect(opened.board.signs).to.equal(1);
    });

    it(`send an operation, of which the board keeps no mark, once more: ${what}`, async () => {
      opened.board.faults.script([{ ...fault, on: "sign" }]);
      const asked = opened.sign(OPERATION);
      if (kind === "unplugged") {
        // It comes back, or it does not: the second try is made at once.
        expect((await rejection(asked, SignerError)).code).to.equal("vault-unavailable");
        return;
      }
      await asked;
      expect(opened.board.signs).to.equal(2);
    });
  }

  it("send a vote again that the board said it has not read", async () => {
    opened.board.faults.script([{ kind: "flip-request", at: 30, on: "sign" }]);
    await opened.sign(attestation({ level }));
    expect(kinds(opened)).to.deep.equal(["misheard"]);
    expect(opened.board.signs).to.equal(1);
  });

  it("cost nothing where noise comes before an answer, and where bytes came that nobody asked for", async () => {
    opened.board.faults.script([{ kind: "noise", bytes: "34380d0a", on: "sign" }]);
    opened.board.send(Buffer.from("34380d0aff44", "hex"));
    await opened.sign(attestation({ level }));
    expect(kinds(opened)).to.deep.equal([]);
    expect(opened.board.signs).to.equal(1);
  });

  it("keep an answer that comes after the deadline for the same bytes, which are not sent again", async () => {
    opened.board.faults.script([{ kind: "held", on: "sign" }]);
    const vote = attestation({ level });
    const late = await rejection(opened.sign(vote, 100), SignerError);
    expect(late.code).to.equal("vault-unavailable");
    const again = opened.sign(vote);
    const next = opened.sign(attestation({ level: level + 1 }));
    opened.board.release();
    await Promise.all([again, next]);
    expect(opened.board.signs).to.equal(2);
  });

  it("do not send a request at all that nobody waits for any more when its turn comes", async () => {
    opened.board.faults.script([{ kind: "held", on: "sign" }]);
    const first = opened.sign(attestation({ level }));
    await until(() => opened.board.signs === 1);
    await rejection(opened.sign(block({ level }), 50), SignerError);
    opened.board.release();
    await first;
    await opened.sign(attestation({ level: level + 1 }));
    expect(opened.board.signs).to.equal(2);
  });

  it("give a board up that does not answer, and find it again where it does, before anything is asked", async () => {
    // The answer that comes late would pass for the tz2 key, which is shown first.
    await using stalled = await openBoard({ curves: ["P-256K", "P-256"], times: { signature: 300, key: 20_000 } });
    stalled.board.faults.script([{ kind: "held", on: "sign" }]);
    const lost = await rejection(stalled.sign(attestation({ level })), SignerError);
    expect(lost.message).to.include("did not answer within 0.3 s");
    expect(stalled.keyring.problem?.()).to.include("The board cannot be used. The board did not answer within 0.3 s.");
    // The answer comes that nobody waits for any more, before that to the next question.
    const next = stalled.sign(attestation({ level: level + 1 }));
    await until(() => stalled.board.waiting === 2);
    stalled.board.release();
    await next;
    expect(stalled.keyring.problem?.()).to.equal(undefined);
    expect(kinds(stalled)).to.deep.equal(["timeout"]);
  });

  it("are told by readiness while the board is away, and are over when it is back, as another terminal", async () => {
    await using away = await openBoard({ times: { interval: 50, refresh: 0 } });
    away.board.unplug();
    await until(() => away.keyring.problem?.() !== undefined);
    expect(away.keyring.problem?.()).to.include("Plug the board in");
    expect(away.key.refusal).to.include("Plug the board in");
    const lost = await rejection(away.sign(attestation({ level })), SignerError);
    expect(lost.code).to.equal("vault-unavailable");
    await away.board.plugIn();
    await until(() => away.keyring.problem?.() === undefined);
    expect(away.key.refusal).to.equal(undefined);
    await away.sign(attestation({ level }));
  });

  it("let no signature out that the board got wrong, and start on another line after it", async () => {
    opened.board.faults.script([{ kind: "wrong-signature", on: "sign" }]);
    const shown = opened.board.requests.length;
    expect((await rejection(opened.sign(OPERATION), SignerError)).code).to.equal("signature-invalid");
    await opened.sign(OPERATION);
    expect(opened.board.requests.length - shown, "one, three that show keys, and one").to.equal(5);
  });

  it("are not a key that the chip did not show this time: what is served stays", async () => {
    const { address } = opened.key.publicKey;
    opened.board.faults.always({ kind: "unread-key", on: "public-key" });
    opened.board.unplug();
    await opened.board.plugIn();
    const lost = await rejection(opened.sign(OPERATION), SignerError);
    expect(lost.message).to.include(`The board does not show ${address}.`);
    expect([...opened.keyring.keys.keys()]).to.deep.equal([address]);
    expect(opened.board.signs).to.equal(0);
    opened.board.faults.always(undefined);
    await opened.sign(OPERATION);
  });

  it("of its chip are told in words, and may be over the next time", async () => {
    opened.board.faults.script([{ kind: "chip", status: 0xaf, on: "sign" }]);
    const lost = await rejection(opened.sign(OPERATION), SignerError);
    expect([lost.code, lost.message]).to.satisfy(
      ([code, message]: string[]) => code === "vault-unavailable" && message?.includes("The board answered AF"),
    );
    await opened.sign(OPERATION);
    expect(opened.keyring.problem?.()).to.equal(undefined);
  });
});

describe("refusals of a Tezio board's own", function () {
  this.timeout(60_000);

  before(function () {
    requiresBoard(this);
  });

  it("by its high-water mark are 409, stand in readiness, and end with the next position that it signs", async () => {
    await using opened = await openBoard();
    await opened.sign(attestation({ level: 8 }));
    const below = await rejection(opened.sign(attestation({ level: 7 })), SignerError);
    expect([below.code, below.status]).to.deep.equal(["device-watermark", 409]);
    expect(below.message).to.include("its own high-water mark of this key");
    expect(opened.key.refusal).to.include("it forgets its marks, this signer does not");
    expect(opened.keyring.problem?.()).to.equal(undefined);
    await opened.sign(block({ level: 7 }));
    expect(opened.key.refusal, "of another kind").to.include("high-water mark");
    await opened.sign(attestation({ level: 9 }));
    expect(opened.key.refusal).to.equal(undefined);
  });

  it("by its high-water mark end where it was without power", async () => {
    await using opened = await openBoard();
    await opened.sign(attestation({ level: 8 }));
    await rejection(opened.sign(attestation({ level: 8 })), SignerError);
    opened.board.unplug();
    await opened.board.plugIn();
    await opened.sign(attestation({ level: 8 }));
    expect(opened.key.refusal).to.equal(undefined);
  });

  it("by its policy are 403, name what is compiled in, and are not asked for anew", async () => {
    await using opened = await openBoard({ allowed: { 3: [0x11, 0x12, 0x13] } });
    const refused = await rejection(opened.sign(OPERATION), SignerError);
    expect([refused.code, refused.status]).to.deep.equal(["device-policy", 403]);
    expect(refused.message).to.include("The board answered B8").and.include("compiled into its firmware");
    expect(opened.board.signs).to.equal(1);
    expect(opened.key.refusal).to.include("compiled into its firmware");
    await opened.sign(block({ level: 1 }));
  });

  it("of a request for its public keys leave it without keys, and say why", async () => {
    await using opened = await openBoard({ showsKeys: false, times: { startup: 500, key: 100 } });
    expect(opened.keyring.keys.size).to.equal(0);
    expect(opened.keyring.problem?.()).to.include("The board answered B0: its firmware has turned this operation off.");
  });
});
