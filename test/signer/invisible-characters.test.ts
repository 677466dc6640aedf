import { PassThrough } from "node:stream";
import { expect } from "chai";
import type { Context } from "koa";
import { openLog } from "../../signer/cli/log.ts";
import { harmless } from "../../signer/cli/text.ts";
import { sendJson } from "../../signer/http/send-json.ts";
import { isLetter, visibleJson } from "../../signer/invisible-characters.ts";

/** Escape sequences, C1, marks of direction, no width, separators of lines, tags, a mark of byte order, fillers. */
const TEXT = "a\u001b[2J\u009b1m\u202e\u2066\u200b\u200f\u2028\u2029\u{e0041}\ufeff\u007f\u115f\u3164\ufe0fz";
const SEEN = /^[\x20-\x7e\ufffd\n]*$/;

describe("a text from elsewhere with characters that are not seen", () => {
  it("reaches a terminal without them", () => {
    expect(harmless(`${TEXT}\nnext`))
      .to.match(SEEN)
      .and.match(/^a\ufffd\[2J.+z\nnext$/);
  });

  it("reaches the log escaped, as a value and as a name, and is the same text once read", () => {
    const stderr = new PassThrough({ encoding: "utf8" });
    openLog({ stdin: new PassThrough(), stdout: new PassThrough(), stderr, env: {} }).warn({ node: TEXT }, TEXT);
    const line: string = stderr.read();
    expect(line).to.match(SEEN);
    expect(JSON.parse(line)).to.include({ node: TEXT, msg: TEXT });
  });

  it("reaches a client escaped, and is the same text once read", () => {
    const ctx = { set: () => undefined } as unknown as Context;
    sendJson(ctx, 400, [{ msg: TEXT }]);
    expect(ctx.body).to.match(SEEN);
    expect(JSON.parse(String(ctx.body))).to.deep.equal([{ msg: TEXT }]);
  });

  it("reaches an operator escaped, on one line, and is the same text once read", () => {
    const json = visibleJson(JSON.stringify({ reason: TEXT }));
    expect(json).to.match(SEEN);
    expect(JSON.parse(json)).to.deep.equal({ reason: TEXT });
  });

  it("is nowhere shown to the one who confirms: what is invisible is no letter, whatever its script", () => {
    for (let point = 0; point <= 0x10ffff; point += 1) {
      const character = String.fromCodePoint(point);
      if (isLetter(character)) expect(harmless(character), `U+${point.toString(16)}`).to.equal(character);
    }
  });
});
