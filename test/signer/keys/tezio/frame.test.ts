import { expect } from "chai";
import { checksum, findReply, MAX_DATA, MODES, OPCODES, request } from "../../../../signer/keys/tezio/frame.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("frames of a Tezio board", () => {
  it("have the checksum's published value of 123456789", () => {
    expect(checksum(Buffer.from("123456789"))).to.equal(0xfee8);
  });

  it("are those that a board and its own program were recorded with", () => {
    expect(hex(request(OPCODES.publicKey, 3, 3))).to.equal("030700110303358a");
    const data = bytes("040101adc8160ff8dea802d94e3e37ee522af44a3bfa8c03");
    expect(hex(request(OPCODES.sign, 2, MODES.message, data))).to.equal(
      `03210021020300 00${hex(data)}a0bc`.replace(" ", ""),
    );
    for (const [reply, body] of [
      ["0500b8d403", "b8"],
      ["0500d4bc02", "d4"],
      ["0500a69003", "a6"],
      ["0500a79583", "a7"],
      ["0500014180", "01"],
      ["0500004400", "00"],
    ] as const) {
      const found = findReply(bytes(reply));
      expect(found.found === "reply" && hex(found.body), reply).to.equal(body);
    }
  });

  it("fit into the board's buffer up to the data that is allowed, which the board does not look at", () => {
    expect(request(OPCODES.sign, 3, MODES.message, Buffer.alloc(MAX_DATA)).readUInt16LE(1)).to.equal(1_024);
  });

  it("are found behind noise, and what comes after one is left", () => {
    const found = findReply(bytes("34380d0a 0500d4bc02 0500"));
    expect(found.found === "reply" && [hex(found.body), hex(found.rest)]).to.deep.equal(["d4", "0500"]);
  });

  it("have begun where a length is there that a reply can have, and nothing has where there is noise alone", () => {
    for (const text of ["0500", "0500d4bc", "0500d4bc03", "4400aabb", "34380d0a4400"]) {
      expect(findReply(bytes(text)).found, text).to.equal("begun");
    }
    for (const text of ["", "05", "34380d0a", "ffffffff", "0600d4bc02"]) {
      expect(findReply(bytes(text)).found, text).to.equal("nothing");
    }
  });

  it("are not found where any one bit of theirs is turned", () => {
    const reply = bytes("0500d4bc02");
    for (let bit = 0; bit < 8 * reply.length; bit += 1) {
      const turned = Buffer.from(reply);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(findReply(turned).found, `bit ${bit}`).not.to.equal("reply");
    }
  });
});
