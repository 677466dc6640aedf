import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { SignerError } from "../../../../signer/errors.ts";
import { BOARD_FAULTS, faultOfStatus } from "../../../../signer/keys/tezio/fault.ts";
import { openTezioKeyring } from "../../../../signer/keys/tezio/keyring.ts";
import { blake2b256 } from "../../../../signer/tezos/crypto/digest.ts";
import { temporaryFolder } from "../../../emulators/signer-process.ts";
import { attestation, block, transfer } from "../../../fixtures/payloads.ts";
import { requiresBoard } from "../../../harness/board.ts";
import { logLines } from "../../../harness/log-lines.ts";
import { rejection } from "../../../harness/rejection.ts";
import { openBoard } from "./open-board.ts";

const SOURCE = "tz3ZL92LXvTT5kKNpz6GAAfEQ67Y3APek8ui";

describe("a keyring of a Tezio board", function () {
  this.timeout(60_000);

  before(function () {
    requiresBoard(this);
  });

  it("serves its tz2 and its tz3 key, and neither its tz1 key nor that of clients' requests; both sign", async () => {
    await using opened = await openBoard({ curves: ["P-256K", "P-256"] });
    const { keys } = opened.keyring;
    expect([...keys.keys()].map((address) => address.slice(0, 3))).to.deep.equal(["tz2", "tz3"]);
    const payload = transfer({ source: SOURCE });
    for (const key of keys.values()) {
      await key.sign(new Uint8Array(32), AbortSignal.timeout(30_000), payload);
    }
    expect(opened.board.requests.filter(({ opcode }) => opcode === 0x21).map(({ p1, p2 }) => [p1, p2])).to.deep.equal([
      [2, 3],
      [3, 3],
    ]);
  });

  it("sends every byte as it is, however long the request is that the board takes, and no longer one", async () => {
    await using opened = await openBoard();
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const payload = Buffer.concat([Buffer.of(0x03), every, every, every, Buffer.alloc(246, 0x11)]);
    expect(payload).to.have.length(1_015);
    await opened.sign(payload);
    expect(opened.board.requests.at(-1)?.data.equals(payload)).to.equal(true);
    const signs = opened.board.signs;
    const long = await rejection(opened.sign(Buffer.concat([payload, Buffer.of(0)])), SignerError);
    expect([long.code, long.message]).to.satisfy(
      ([code, message]: string[]) => code === "body-too-large" && message?.includes("takes 1015 bytes"),
    );
    expect([opened.board.signs, opened.board.overran]).to.deep.equal([signs, false]);
  });

  it("sends nothing whose magic byte the board would look up past its table, and no digest alone", async () => {
    await using opened = await openBoard();
    for (const payload of [Buffer.of(0x00), Buffer.of(0x14, 0), Buffer.of(0x23, 1), Buffer.alloc(0)]) {
      expect((await rejection(opened.sign(payload), SignerError)).code).to.equal("internal-error");
    }
    const alone = opened.key.sign(Buffer.alloc(32, 0x11), AbortSignal.timeout(1_000));
    expect((await rejection(alone, SignerError)).code).to.equal("internal-error");
    expect(opened.board.signs).to.equal(0);
  });

  it("signs 32 requests that come at once, one after another, each with a signature of its own", async () => {
    await using opened = await openBoard();
    const payloads = Array.from({ length: 32 }, (_, at) => attestation({ level: at + 1 }));
    const signatures = await Promise.all(payloads.map((payload) => opened.sign(payload)));
    expect(new Set(signatures.map((each) => Buffer.from(each).toString("hex"))).size).to.equal(32);
    expect(
      opened.board.requests.filter(({ opcode }) => opcode === 0x21).map(({ data }) => data.toString("hex")),
    ).to.deep.equal(payloads.map((payload) => payload.toString("hex")));
  });

  it("serves another board's key where one is plugged in, and has it sign nothing that the first was asked for", async () => {
    await using opened = await openBoard();
    const { key } = opened;
    opened.board.unplug();
    opened.board.secrets = { 3: Buffer.alloc(32, 7) };
    await opened.board.plugIn();
    const payload = attestation({ level: 1 });
    const asked = key.sign(blake2b256(payload), AbortSignal.timeout(30_000), payload);
    expect((await rejection(asked, SignerError)).message).to.include(`does not show ${key.publicKey.address}`);
    expect(opened.board.signs).to.equal(0);
    expect([...opened.keyring.keys.keys()]).not.to.include(key.publicKey.address);
    await opened.sign(payload);
  });

  it("keeps a second signer away from the same board", async () => {
    await using opened = await openBoard();
    const { log } = logLines();
    const [device = ""] = opened.key.location.split(",");
    const second = await openTezioKeyring({ device, logger: log, times: { startup: 100 } });
    expect(second.problem?.()).to.include("cannot be opened: another program has it.");
    await second.close();
  });

  it("is closed while the board keeps it waiting", async () => {
    await using opened = await openBoard();
    opened.board.faults.script([{ kind: "silent", on: "sign" }]);
    const asked = rejection(opened.sign(block({ level: 1 })), SignerError);
    await opened.keyring.close();
    expect((await asked).code).to.equal("vault-unavailable");
    expect(opened.lines.filter(({ fault }) => fault !== undefined)).to.deep.equal([]);
  });

  it("lets the device go where it is closed while it is being opened", async () => {
    await using opened = await openBoard();
    await opened.reopen({ startup: 1 });
    expect(opened.keyring.keys.size).to.equal(0);
    await opened.reopen();
    expect(opened.keyring.problem?.()).to.equal(undefined);
  });

  it("says what is wrong with a device that is no serial port, or is not there, and goes on looking", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "file");
    writeFileSync(file, "");
    for (const [device, words] of [
      [file, "cannot be opened"],
      [join(folder.path, "nowhere"), "no such file or directory"],
    ] as const) {
      const { log } = logLines();
      const keyring = await openTezioKeyring({ device, logger: log, times: { startup: 100 } });
      expect(keyring.problem?.()).to.include(words);
      expect(keyring.unseen?.()).to.equal(keyring.problem?.());
      await keyring.close();
    }
  });
});

describe("kinds of board faults", () => {
  it("are exactly those of docs/tezio.md, each with what the client gets and its remedy", () => {
    const page = readFileSync(new URL("../../../../docs/tezio.md", import.meta.url), "utf8");
    const listed = [...page.matchAll(/^\| ([a-z-]+) \| .+? \| `([a-z-]+)` \| (.+?) \|$/gm)].map(([, ...row]) => row);
    expect(listed).to.deep.equal(Object.entries(BOARD_FAULTS).map(([kind, { code, remedy }]) => [kind, code, remedy]));
  });

  it("name a status in hex, and take one that is not known for a firmware's that is not Tezio's", () => {
    expect(faultOfStatus(0xb8).message).to.equal(
      "The board answered B8: its firmware does not let this key sign such a request.",
    );
    expect([faultOfStatus(0x07).kind, faultOfStatus(0x07).message]).to.deep.equal([
      "rejected",
      "The board answered 07: its documents do not say what that means.",
    ]);
  });
});
