import { expect } from "chai";
import fc from "fast-check";
import { SignerError } from "../../../signer/errors.ts";
import { parsePayload } from "../../../signer/http/body.ts";
import { MAX_BODY } from "../../../signer/http/limits.ts";
import { MAX_PAYLOAD } from "../../../signer/tezos/payload/payload.ts";

function refusal(text: string): string {
  try {
    parsePayload(text);
  } catch (error) {
    if (error instanceof SignerError) return `${error.code}: ${error.message.split(": ")[1]}`;
    throw error;
  }
  return "accepted";
}

describe("body of POST /keys/…", () => {
  it("is a JSON string of hex, in lower or upper case, with or without a line end", () => {
    const payload = Buffer.from("11abcdef", "hex");
    for (const text of ['"11abcdef"', '"11ABCDEF"', '"11aBcDeF"\n', '"11abcdef"\r\n', ' "11abcdef" ']) {
      expect(parsePayload(text), text).to.deep.equal(payload);
    }
  });

  const refused: Record<string, string> = {
    "": "malformed-request: the body is not JSON",
    "11abcdef": "malformed-request: the body is not JSON",
    '"11abcdef': "malformed-request: the body is not JSON",
    '"11""22"': "malformed-request: the body is not JSON",
    '["11abcdef"]': "malformed-request: the body must be a JSON string of hex digits",
    '{"bytes":"11"}': "malformed-request: the body must be a JSON string of hex digits",
    "11": "malformed-request: the body must be a JSON string of hex digits",
    null: "malformed-request: the body must be a JSON string of hex digits",
    '"0x11ab"': "malformed-request: the hex digits must not begin with 0x",
    '"11abc"': "malformed-request: the JSON string has an odd number of hex digits, 5",
    '"11 ab"': "malformed-request: character 2 of the JSON string is not a hex digit",
    '"11ab\\n"': "malformed-request: character 4 of the JSON string is not a hex digit",
    '"११"': "malformed-request: character 0 of the JSON string is not a hex digit",
    '""': "malformed-request: the JSON string is empty",
  };
  for (const [text, expected] of Object.entries(refused)) {
    it(`refuses ${text === "" ? "nothing at all" : text}`, () => {
      expect(refusal(text)).to.equal(expected);
    });
  }

  it("holds the longest payload, quotes and a line end", () => {
    const text = `"${"ab".repeat(MAX_PAYLOAD)}"\r\n`;
    expect(parsePayload(text)).to.have.length(MAX_PAYLOAD);
    expect(text.length).to.be.at.most(MAX_BODY);
  });

  it("refuses one byte more", () => {
    expect(refusal(`"${"ab".repeat(MAX_PAYLOAD + 1)}"`)).to.match(/^body-too-large: a payload has at most 32768 bytes/);
  });

  it("reads back every payload that JSON and hex can carry", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const read = parsePayload(JSON.stringify(Buffer.from(bytes).toString("hex")));
        expect(Buffer.compare(Buffer.from(bytes), read)).to.equal(0);
      }),
    );
  });

  it("answers any text with a payload or a refusal that does not repeat it", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((text) => JSON.stringify(text)),
        ),
        (text) => {
          expect(refusal(text)).to.match(/^(accepted|malformed-request: (the |character \d+ of the ))/);
        },
      ),
    );
  });
});
